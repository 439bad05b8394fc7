"""The sandbox as a server runs it: `gunicorn -k gevent sandbox.main:app`, always as one process."""

import os

from sandbox.app import create_app
from sandbox.settings import settings_from

app = create_app(settings=settings_from(os.environ))
