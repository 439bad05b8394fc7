"""What `celery -A worker.main worker` runs."""

import os

from jobs.lanes import TASK
from jobs.settings import read_settings
from worker.app import make_app
from worker.process import Process

settings = read_settings(os.environ)
app = make_app(settings, Process(settings, os.environ), task=TASK)
