import pytest

from schemas.hosts import in_url, is_address, normal_host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Hooks.Example.COM", "hooks.example.com"),
        ("hooks.example.com.", "hooks.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a_b.c-d", "a_b.c-d"),
        ("10.0.0.1", "10.0.0.1"),
        ("①⓪.0.0.1", "10.0.0.1"),
        ("[::1]", "::1"),
        ("[2606:4700:0:0::1111]", "2606:4700::1111"),
        ("a" * 63, "a" * 63),
    ],
)
def test_each_host_has_one_form(text: str, host: str) -> None:
    assert normal_host(text) == host


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "letters"), ("a..b", "letters"), ("a b", "letters"), ("a" * 64, "letters"), ("a." * 127 + "a", "letters"),
        ("a%41", "letters"), ("*", "letters"), ("127.1", "four decimal"), ("0x7f.1", "four decimal"),
        ("a.0x", "four decimal"), ("2130706433", "four decimal"), ("01.2.3.4", "four decimal"), ("[::1", "IPv6"),
        ("[]", "IPv6"), ("[1.2.3.4]", "IPv6"), ("[fe80::1%1]", "IPv6"), ("a\u200db", "international"),
    ],
)  # fmt: skip
def test_what_is_no_host_or_an_address_in_disguise_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        normal_host(text)


def test_addresses_are_told_from_names() -> None:
    assert [is_address(host) for host in ("10.0.0.1", "::1", "a.1b", "1.a", "a")] == [True, True, False, False, False]


def test_only_ipv6_stands_in_brackets() -> None:
    assert [in_url(host) for host in ("::1", "10.0.0.1", "a.b")] == ["[::1]", "10.0.0.1", "a.b"]
