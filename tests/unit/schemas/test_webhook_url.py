from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url

from schemas.allow import Allow
from schemas.hosts import in_url
from schemas.webhook_url import UrlRefused, WebhookUrl, origin_of, parse_webhook_url, same_origins
from tests.fakes.hostile_urls import LEGITIMATE, NAMED, REFUSED_TEXTS, Named

NOTHING = Allow()


def parse(text: str, allow: str = "", own: frozenset[str] = frozenset()) -> WebhookUrl:
    return parse_webhook_url(text, allow=Allow.parse(allow), own=own)


def refusal(text: str, allow: str = "", own: frozenset[str] = frozenset()) -> str:
    with pytest.raises(UrlRefused) as caught:
        parse(text, allow, own)
    return str(caught.value)


@pytest.mark.parametrize("text", REFUSED_TEXTS)
def test_a_hostile_text_is_refused(text: str) -> None:
    assert refusal(text).startswith("must ")


def test_there_are_more_than_a_hundred_of_them() -> None:
    assert len(set(REFUSED_TEXTS)) > 100


@pytest.mark.parametrize("named", [*LEGITIMATE, *NAMED], ids=lambda named: named.url)
def test_a_legitimate_text_is_accepted_and_read_alike_by_all_parsers(named: Named) -> None:
    found = parse(named.url)
    assert parse(found.url) == found
    assert urlsplit(found.url).hostname == found.host
    assert parse_url(found.url).host == in_url(found.host)
    assert found.origin == f"https://{in_url(found.host)}:{found.port}"


_HOSTS = st.one_of(
    st.text(min_size=1, max_size=12),
    st.from_regex(r"[a-z0-9.①。_-]{1,12}(:[0-9]{1,5})?", fullmatch=True),
    st.from_regex(r"\[[0-9a-f:.%]{2,12}\]", fullmatch=True),
    st.sampled_from([named.url.partition("://")[2] for named in LEGITIMATE]),
    st.sampled_from([text.partition("://")[2] for text in REFUSED_TEXTS]),
)


@given(st.sampled_from(["http://", "https://", "HTTPS://", ""]), _HOSTS, st.text(max_size=8))
@example("https://", "127.0.0.1\\@hooks.example.com", "/")
def test_whatever_is_accepted_has_one_host_for_all_parsers(scheme: str, host: str, rest: str) -> None:
    try:
        found = parse_webhook_url(scheme + host + rest, allow=Allow.parse("0.0.0.0/0,::/0"))
    except UrlRefused:
        return
    assert urlsplit(found.url).hostname == found.host
    assert parse_url(found.url).host == in_url(found.host)
    assert urlsplit(found.url).port in (None, found.port)
    assert found.url.isascii()
    assert parse_webhook_url(found.url, allow=Allow.parse("0.0.0.0/0,::/0")) == found


def test_a_url_is_kept_but_for_its_host_and_what_is_not_ascii() -> None:
    assert parse("HTTPS://Bücher.Example:8443/Ü?a=%C3%9C&b=ü").url == (
        "https://xn--bcher-kva.example:8443/%C3%9C?a=%C3%9C&b=%C3%BC"
    )


@pytest.mark.parametrize("address", ["10.0.0.1", "[fd00::1]"])
def test_a_private_address_is_refused_with_the_setting_that_admits_it(address: str) -> None:
    host = address.strip("[]")
    assert refusal(f"https://{address}/") == (
        f"must not point to a private address ({host}); RESPOOL_WEBHOOK_ALLOW can admit it"
    )
    assert parse(f"https://{address}/", host).host == host
    assert parse(f"http://{address}/", host).origin == f"http://{address}:80"
    assert parse(f"https://{address}/", f"{address}:443").host == host
    assert "private address" in refusal(f"https://{address}/", f"{address}:444")


def test_localhost_is_admitted_by_its_name_and_by_its_address() -> None:
    assert "loopback address (localhost)" in refusal("https://localhost/", "10.0.0.0/8")
    for allow in ("localhost", "localhost:443", "127.0.0.0/8", "::1"):
        assert parse("https://localhost/", allow).host == "localhost"


def test_plain_http_needs_a_receiver_that_is_admitted() -> None:
    assert "must start with https://" in refusal("http://hooks.internal/")
    assert "must start with https://" in refusal("http://hooks.internal/", "other.internal")
    assert parse("http://hooks.internal/", "hooks.internal").port == 80
    assert "must start with https://" in refusal("http://93.184.215.14/", "10.0.0.0/8")


def test_where_networks_are_admitted_the_address_of_a_plain_name_decides_later() -> None:
    assert parse("http://hooks.internal:8080/", "10.0.0.0/8").origin == "http://hooks.internal:8080"


def test_a_port_that_is_no_receivers_is_admitted_only_with_its_host() -> None:
    assert "must not name port 6379" in refusal("https://hooks.internal:6379/", "hooks.internal,10.0.0.0/8")
    assert parse("https://hooks.internal:6379/", "hooks.internal:6379").port == 6379
    assert parse("https://hooks.internal:81/", "hooks.internal:81").port == 81


@pytest.mark.parametrize(
    "url",
    ["https://jobs.example.com/v1/jobs", "https://JOBS.example.com.:443/", "https://jobs.example.com"],
)
def test_this_service_itself_is_refused_even_where_it_is_admitted(url: str) -> None:
    own = frozenset({origin_of("https://jobs.example.com/base")})
    assert refusal(url, "jobs.example.com", own) == "must not point to this service itself"
    assert parse(url.lower().replace("//jobs", "//hooks"), "", own).host == "hooks.example.com"
    assert parse("https://jobs.example.com:8443/", "", own).port == 8443


def test_the_origin_of_a_private_service_is_read_too() -> None:
    assert origin_of("http://127.0.0.1:22/x") == "http://127.0.0.1:22"
    assert origin_of("https://[::1]/") == "https://[::1]:443"
    with pytest.raises(ValueError, match="must start with"):
        origin_of("ftp://a")


def test_what_grows_too_long_when_it_is_encoded_is_refused() -> None:
    assert "those that are no ASCII encoded" in refusal("https://hooks.example.com/" + "ü" * 1000)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST."])
def test_a_loopback_origin_is_written_in_several_ways(host: str) -> None:
    ways = {"http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"}
    assert same_origins(f"http://{host}:8000/base") == ways


@pytest.mark.parametrize(
    ("url", "origin"),
    [("https://Jobs.example.com/base", "https://jobs.example.com:443"), ("http://10.0.0.1", "http://10.0.0.1:80")],
)
def test_any_other_origin_is_written_in_one_way(url: str, origin: str) -> None:
    assert same_origins(url) == {origin}
