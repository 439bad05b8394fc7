from jobs.accounts import OpenAccount
from jobs.settings import Settings
from tests.fakes.raw_server import http_answer, raw_server
from worker.calls import Call
from worker.endpoints import open_endpoints

ACCOUNTS = [
    OpenAccount(name="one", url="http://127.0.0.1:1/v1", key="k1", background=False),
    OpenAccount(name="two", url="http://127.0.0.1:2/v1", key="", background=True),
]


def test_each_account_has_a_client_with_connections_for_all_slots() -> None:
    endpoints = open_endpoints(ACCOUNTS, Settings(slots=77))
    assert list(endpoints) == ["one", "two"]
    assert [endpoint.background for endpoint in endpoints.values()] == [False, True]
    sessions = [endpoint.client._wire._session for endpoint in endpoints.values()]
    assert sessions[0] is not sessions[1]
    assert {session.get_adapter("http://x")._pool_maxsize for session in sessions} == {77}


def test_an_account_is_called_at_its_own_address_with_its_own_key() -> None:
    with raw_server(http_answer(b"{}")) as server:
        accounts = [OpenAccount(name="one", url=f"{server.url}/base", key="its-key", background=False)]
        client = open_endpoints(accounts, Settings())["one"].client
        client.create(b"{}", idempotency_key="job_1", call=Call(seconds=60))
    head = server.requests[0].lower()
    assert head.startswith(b"post /base/responses http/1.1\r\n")
    assert b"authorization: bearer its-key" in head
