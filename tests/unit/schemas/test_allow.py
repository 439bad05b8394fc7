"""What an operator admits although the table forbids it."""

import pytest

from schemas.allow import Allow


def test_an_empty_list_admits_nothing() -> None:
    for allow in (Allow(), Allow.parse(""), Allow.parse(" , ,")):
        assert not allow.has_networks
        assert not allow.admits_address("127.0.0.1")
        assert not allow.admits_host("localhost", 80)


def test_networks_and_addresses_admit_what_lies_in_them() -> None:
    allow = Allow.parse("10.1.0.0/16, 192.168.0.1, fd00::/8,::1")
    assert allow.has_networks
    admitted = ("10.1.2.3", "192.168.0.1", "fd12::1", "::1", "::ffff:10.1.0.1")
    assert all(allow.admits_address(address) for address in admitted)
    assert not any(allow.admits_address(address) for address in ("10.2.0.1", "192.168.0.2", "fc00::1", "rubbish"))


def test_a_host_is_admitted_with_any_port_or_with_one() -> None:
    allow = Allow.parse("Hooks.Internal, bücher.internal:8080, 10.0.0.1:81, [fd00::1]:82")
    assert not allow.has_networks
    assert allow.admits_host("hooks.internal", 1)
    assert not allow.names_port("hooks.internal", 1)
    assert allow.admits_host("xn--bcher-kva.internal", 8080)
    assert allow.names_port("xn--bcher-kva.internal", 8080)
    assert not allow.admits_host("xn--bcher-kva.internal", 8081)
    assert allow.admits_host("10.0.0.1", 81)
    assert not allow.admits_host("10.0.0.1", 80)
    assert allow.admits_host("fd00::1", 82)
    assert not allow.admits_host("fd00::1", 80)
    assert not allow.admits_host("a.hooks.internal", 1)


def test_an_admitted_host_may_stand_at_any_address_but_those_that_go_by_themselves() -> None:
    allow = Allow.parse("hooks.internal")
    assert allow.admits("10.0.0.1", host="hooks.internal", port=80)
    assert not allow.admits("10.0.0.1", host="other.internal", port=80)
    for address in ("169.254.169.254", "fe80::1%2", "100.100.100.200", "::ffff:169.254.1.1"):
        assert not allow.admits(address, host="hooks.internal", port=80)


@pytest.mark.parametrize(
    ("wide", "address"),
    [
        ("0.0.0.0/0", "169.254.169.254"), ("::/0", "fe80::1"), ("100.64.0.0/10", "100.100.100.200"),
        ("192.0.0.0/24", "192.0.0.192"), ("fd00::/8", "fd00:ec2::254"), ("168.63.129.0/24", "168.63.129.16"),
        ("64:ff9b::/96", "64:ff9b::a9fe:a9fe"), ("2002::/16", "2002:a9fe:a9fe::1"), ("::/0", "::a9fe:a9fe"),
        ("::/0", "::ffff:0:169.254.169.254"), ("64:ff9b::/64", "64:ff9b::100.100.100.200"),
        ("::/0", "64:ff9b:1::a9fe:a9fe"), ("2001::/16", "2001:0:808:808::5601:5601"),
    ],
)  # fmt: skip
def test_link_local_and_metadata_addresses_are_admitted_by_themselves_alone(wide: str, address: str) -> None:
    assert not Allow.parse(wide).admits_address(address)
    assert Allow.parse(f"{wide},{address}").admits_address(address)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("10.0.0.1/8", "no bits set"), ("10.0.0.0/33", "network such as"), ("hooks.internal/8", "network such as"),
        ("hooks.internal:0", "1 to 65535"), ("hooks.internal:65536", "1 to 65535"), ("hooks.internal:x", "1 to 65535"),
        ("hooks.internal:", "1 to 65535"), ("*", "letters"), ("a b", "letters"), ("127.1", "four decimal"),
        ("[fe80::1%1]:80", "zone"), ("169.254.0.0/16", "single address"), ("fe80::/64", "single address"),
        ("169.254.169.254:80", "address alone"), ("::ffff:10.0.0.0/104", "IPv4 network"),
        ("https://a.b", "network such as"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named_and_told_what_it_must_be(entry: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        Allow.parse(f"10.0.0.0/8,{entry}")
    assert str(caught.value).startswith(f"{entry!r} must ")


@pytest.mark.parametrize("port", [1, 65535])
def test_any_port_that_there_is_may_be_named(port: int) -> None:
    allow = Allow.parse(f"hooks.internal:{port}")
    assert allow.names_port("hooks.internal", port)


def test_a_bracketed_address_without_a_port_is_a_host_of_any_port() -> None:
    allow = Allow.parse("[fd00::1]")
    assert allow.admits_host("fd00::1", 443)
    assert not allow.admits_host("fd00::2", 443)
