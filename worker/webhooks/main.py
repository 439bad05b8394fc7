"""What `celery -A worker.webhooks.main worker` runs."""

import os

from jobs.settings import read_settings
from jobs.webhooks.releases import DELIVER_TASK
from worker.app import make_app
from worker.webhooks.process import SenderProcess

settings = read_settings(os.environ)
app = make_app(settings, SenderProcess(settings), task=DELIVER_TASK)
