import socket

import pytest

from schemas.allow import Allow
from tests.fakes.webhook_client import open_webhook_client, post, speaking_plainly
from worker.webhooks.connections import GuardedPools
from worker.webhooks.guard import Guard


def test_nothing_is_connected_to_but_for_a_call() -> None:
    pools = GuardedPools(Guard(allow=Allow.parse("127.0.0.0/8")), silence_seconds=1, most_idle=1)
    with pytest.raises(RuntimeError):
        pools.connection_from_host("127.0.0.1", 1, "http").urlopen("POST", "/", retries=False)


def test_a_handshake_leaves_no_handle_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    handles: list[socket.socket] = []
    dup = socket.socket.dup

    def watched(connection: socket.socket) -> socket.socket:
        handles.append(dup(connection))
        return handles[-1]

    with speaking_plainly() as port, open_webhook_client() as client:
        monkeypatch.setattr(socket.socket, "dup", watched)
        post(client, f"https://127.0.0.1:{port}/")
    assert [handle.fileno() for handle in handles] == [-1]
