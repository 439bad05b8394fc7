"""What `gunicorn api.main:app` serves."""

import logging
import os

from api.app import create_app
from jobs.settings import read_settings

settings = read_settings(os.environ)
logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
app = create_app(settings)
