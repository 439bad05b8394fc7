"""Of what the figures depend on."""

import platform
from importlib.metadata import version

import redis


def versions(client: redis.Redis) -> str:
    server = client.info("server")
    name = server.get("server_name", "redis")
    parts = ("respool", "celery", "gevent", "redis", "gunicorn")
    told = [f"python {platform.python_version()}", f"{name} {server.get(f'{name}_version')}"]
    return ", ".join([*told, *(f"{part} {version(part)}" for part in parts)])
