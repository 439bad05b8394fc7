"""What `gunicorn api.main:app` serves."""

import os

from api.app import create_app
from jobs import logs
from jobs.settings import read_settings
from jobs.tracing import open_tracer

with logs.starting(os.environ):
    settings = read_settings(os.environ)
    logs.set_up(settings)
    app = create_app(settings, tracer=open_tracer(os.environ, service="respool-api"))
