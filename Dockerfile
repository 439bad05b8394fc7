# One image for the API, the workers and the senders; the command says which of them a container is.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    GUNICORN_CMD_ARGS="--bind 0.0.0.0:8000"

# A volume that is put at /files takes its owner from here.
RUN useradd --system --uid 10001 --user-group --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin respool \
  && install --directory --owner 10001 --group 10001 --mode 700 /files

WORKDIR /app
COPY . .
RUN pip install --root-user-action ignore --require-hashes -r requirements.lock \
  && pip install --root-user-action ignore --no-build-isolation --no-deps -e . \
  && python -m compileall -q .

USER 10001:10001
EXPOSE 8000
# gunicorn and Celery drain on SIGTERM; on SIGQUIT they would drop their calls.
STOPSIGNAL SIGTERM
CMD ["gunicorn", "--config", "python:api.gunicorn_config", "api.main:app"]
