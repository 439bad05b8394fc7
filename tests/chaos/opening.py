"""A stage is opened: every part behind a fault proxy of each that calls it."""

import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jobs.connection import connect
from tests.chaos.mailbox import Mailbox
from tests.chaos.stage import Stage
from tests.chaos.wrong_time import jumping_clock_settings
from tests.fakes.fault_proxy import FaultProxy, running_proxy
from tests.fakes.receiver import running_receiver
from tests.fakes.redis_server import KEEPING, running_redis
from tests.fakes.sandbox_server import running_sandbox

LIMITS = """
[default]
in_flight = 60
requests_per_minute = 6000
tokens_per_minute = 10_000_000
"""


@contextmanager
def running_stage(folder: Path, dice: random.Random, *, workers: int = 2, senders: int = 1) -> Iterator[Stage]:
    with ExitStack() as stack:
        mailbox = Mailbox(random.Random(dice.random()))
        receiver = stack.enter_context(running_receiver(mailbox.answer))
        sandbox = stack.enter_context(running_sandbox())
        server = stack.enter_context(running_redis(folder, *KEEPING, environ=jumping_clock_settings(folder)))
        with socket.create_server(("127.0.0.1", 0)) as reserved:  # so that no proxy is given the same
            api_port = reserved.getsockname()[1]
            behind = {
                **dict.fromkeys(("worker-redis", "sender-redis", "api-redis"), server.port),
                "worker-upstream": int(sandbox.rpartition(":")[2]),
                "sender-receiver": receiver.port,
                "caller-api": api_port,
            }
            between = {name: stack.enter_context(running_proxy(port)) for name, port in behind.items()}
        stage = Stage(
            folder=folder,
            redis=server,
            client=connect(server.url, answer_seconds=30),
            sandbox=sandbox,
            mailbox=mailbox,
            between=between,
            settings={part: _settings(part, folder, between) for part in ("worker", "sender", "api")},
            api_port=api_port,
        )
        stack.callback(stage.client.close)
        stack.callback(stage.end)
        stage.api = stage.start_api()
        stage.workers += [stage.start_worker() for _ in range(workers)]
        stage.senders += [stage.start_sender() for _ in range(senders)]
        stage.wait_until_up()
        yield stage


def _settings(part: str, folder: Path, between: Mapping[str, FaultProxy]) -> dict[str, str]:
    limits = folder / "limits.toml"
    limits.write_text(LIMITS)
    given = {
        "redis_url": f"redis://127.0.0.1:{between[f'{part}-redis'].port}/0",
        "secret": "chaos",
        "api_key": "known",
        "limits_file": str(limits),
        "files_folder": str(folder / "files"),
        "upstream_url": f"http://127.0.0.1:{between['worker-upstream'].port}/v1",
        "upstream_api_key": "any",
        "slots": "60",
        "grace_seconds": "1",
        "webhook_allow": "127.0.0.0/8",
        "webhook_schedule": ",".join(["0"] + ["0.5"] * 49),
        "webhook_timeout_seconds": "2",
    }
    return {f"RESPOOL_{name.upper()}": value for name, value in given.items()} | {"WEB_CONCURRENCY": "2"}
