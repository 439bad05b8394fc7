"""What `celery -A worker.webhooks.main worker` runs."""

import os

from jobs import collector, logs
from jobs.settings import read_settings
from jobs.tracing import open_tracer
from jobs.webhooks.releases import DELIVER_TASK
from worker.app import make_app
from worker.webhooks.process import SenderProcess

with logs.starting(os.environ):
    settings = read_settings(os.environ)
    logs.set_up(settings)
    tracer = open_tracer(os.environ, service="respool-webhooks")
    app = make_app(settings, SenderProcess(settings, tracer=tracer), task=DELIVER_TASK)
collector.spare()
