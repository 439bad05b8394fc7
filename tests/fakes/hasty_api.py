"""The API with less patience for bodies: what `gunicorn tests.fakes.hasty_api:app` serves."""

from api import paced
from api.main import app

paced.PIECE_SECONDS = 1.0

__all__ = ["app"]
