import pytest

from schemas.addresses import why_forbidden
from tests.fakes.hostile_urls import FORBIDDEN_ADDRESSES


@pytest.mark.parametrize("address", FORBIDDEN_ADDRESSES)
def test_no_address_of_the_table_may_be_dialled(address: str) -> None:
    assert why_forbidden(address)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("127.0.0.1", "loopback"), ("10.0.0.1", "private"), ("100.64.0.1", "shared"), ("169.254.169.254", "link-local"),
        ("168.63.129.16", "metadata"), ("224.0.0.1", "multicast"), ("::1", "loopback"), ("fd00::1", "private"),
        ("::ffff:10.0.0.1", "private"), ("fe80::1%eth0", "link-local"), ("::127.0.0.1", "reserved"),
        ("4000::", "reserved"), ("127.1", "malformed"), ("hooks.example.com", "malformed"), ("", "malformed"),
    ],
)  # fmt: skip
def test_a_word_says_what_is_wrong_with_an_address(address: str, word: str) -> None:
    assert why_forbidden(address) == word


@pytest.mark.parametrize(
    "address",
    [
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
        "223.255.255.255", "2000::", "2001:200::", "2001:db7::", "2001:db9::", "2003::", "3ffe::", "3fff:1000::",
        "2606:4700::1111", "::ffff:8.8.8.8",
    ],
)  # fmt: skip
def test_what_stands_next_to_a_forbidden_range_may_be_dialled(address: str) -> None:
    assert why_forbidden(address) is None
