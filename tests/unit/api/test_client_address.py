import pytest

from api.client_address import behind
from jobs.setting_texts import networks

PROXIES = networks("10.0.0.0/8, 127.0.0.1, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["192.0.2.1, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("", ["192.0.2.1"], ""),
    ],
)
def test_the_client_is_the_last_on_the_way_that_no_trusted_proxy_is(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert behind(peer, forwarded, PROXIES) == client


def test_without_a_trusted_proxy_nobody_is_believed() -> None:
    assert behind("10.0.0.1", ["192.0.2.1"], ()) == "10.0.0.1"
