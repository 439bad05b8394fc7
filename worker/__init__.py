"""How a job is done: the Celery worker, one attempt, the endpoint client, retry rules."""
