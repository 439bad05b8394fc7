"""What `celery -A worker.main worker` runs."""

import os

from jobs import collector, logs
from jobs.accounts import account_keys
from jobs.lanes import TASK
from jobs.limits import read_limits
from jobs.settings import read_settings
from jobs.tracing import open_tracer
from worker.app import make_app
from worker.process import Process

with logs.starting(os.environ):
    settings = read_settings(os.environ)
    logs.set_up(settings, secrets=account_keys(read_limits(settings.limits_file), os.environ))
    tracer = open_tracer(os.environ, service="respool-worker")
    app = make_app(settings, Process(settings, os.environ, tracer=tracer), task=TASK)
collector.spare()
