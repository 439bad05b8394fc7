"""A whole service in front of a sandbox, and of upstreams that are odd each in its own way."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobs.connection import connect
from jobs.projects import Projects
from jobs.tenants import Tenants
from tests.factories import MODEL
from tests.fakes.odd_upstream import IN_ANSWERS, ODDITIES, running_odd_upstream
from tests.fakes.processes import running_api, running_sender, running_worker
from tests.fakes.redis_server import running_redis
from tests.fakes.sandbox_server import running_sandbox

KEY = "known"
REASONER = "o3"
"""A model whose name says that it reasons, which the conformance client looks at."""
BY_ID = "by-id"
"""The model of an upstream that is asked for background responses by their id."""
ALL = "all"
"""The model of an upstream with every oddity at once."""
ANSWERS = "answers"
"""The model of one with every oddity but those of errors, whose cause can then still be told."""
SECRET = "a secret of these tests alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropIn:
    """`limited_key` is of a project that may take no token today."""

    base_url: str
    limited_key: str


@contextmanager
def running_drop_in(folder: Path) -> Iterator[DropIn]:
    """All of its processes on loopback; each model has an upstream of its own, the odd ones by the oddity's name."""
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis(folder))
        sandbox = stack.enter_context(running_sandbox())
        upstreams = dict.fromkeys((MODEL, REASONER, BY_ID), sandbox)
        oddities = {ALL: ODDITIES, ANSWERS: IN_ANSWERS} | {oddity: (oddity,) for oddity in ODDITIES}
        upstreams |= {model: _odd(stack, sandbox, *shown) for model, shown in oddities.items()}
        limits = folder / "limits.toml"
        limits.write_text("".join(_account(model, url) for model, url in upstreams.items()))
        settings = {
            "RESPOOL_REDIS_URL": redis.url,
            "RESPOOL_API_KEY": KEY,
            "RESPOOL_SECRET": SECRET,
            "RESPOOL_MODELS": ",".join(upstreams),
            "RESPOOL_LIMITS_FILE": str(limits),
            "SANDBOX_KEY": "any",
            "WEB_CONCURRENCY": "1",
            "RESPOOL_FILES_FOLDER": str(folder / "files"),
            "RESPOOL_WEBHOOK_ALLOW": "127.0.0.0/8",
        }
        stack.enter_context(running_worker(folder, settings))
        stack.enter_context(running_sender(folder, settings))
        base = stack.enter_context(running_api(folder, settings))
        yield DropIn(base_url=f"{base}/v1", limited_key=_limited_key(settings))


def _odd(stack: ExitStack, sandbox: str, *oddities: str) -> str:
    return stack.enter_context(running_odd_upstream(sandbox, *oddities))


def _account(model: str, url: str) -> str:
    by_id = str(model == BY_ID).lower()
    return (
        f'[accounts.{model.replace("_", "-")}]\nurl = "{url}/v1"\napi_key_variable = "SANDBOX_KEY"\n'
        f'models = ["{model}"]\nbackground = {by_id}\n'
    )


def _limited_key(settings: Mapping[str, str]) -> str:
    client = connect(settings["RESPOOL_REDIS_URL"])
    key, _ = Tenants(client, secret=SECRET).create(project="limited", role="member")
    Projects(client).change("limited", {"tokens_per_day": 1})
    client.close()
    return key
