"""What `gunicorn api.main:app` serves."""

import os

from api.app import create_app
from jobs.settings import read_settings

app = create_app(read_settings(os.environ))
