import pytest

from schemas.fetched_urls import first_inner_url, inner_urls

INNER = [
    "http://127.0.0.1/x", "https://10.0.0.5/x", "http://169.254.169.254/latest", "http://[::1]/x", "http://localhost/x",
    "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://[::ffff:10.0.0.1]/", "http://[fd00:ec2::254]/",
    "http://user@10.0.0.1/", "HTTP://LOCALHOST./", "http://metadata.google.internal/", "http://redis:6379/",
    "http://printer.local/", "http://\u2460\u2461\u2466.0.0.1/", "http://100.100.100.200/", "http://[",
]  # fmt: skip
OUTER = [
    "https://example.com/cat.png",
    "http://8.8.8.8/x",
    "https://[2600::1]/x",
    "data:image/png;base64,AAAA",
    "file-1",
]


def request(url: str) -> dict[str, object]:
    return {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]}


@pytest.mark.parametrize("url", INNER)
def test_a_url_that_leads_inside_is_found_with_its_path(url: str) -> None:
    found = first_inner_url(request(url))
    assert found is not None
    assert found[0] == "input[0].content[0].image_url"


@pytest.mark.parametrize("url", OUTER)
def test_a_url_that_leads_outside_is_not(url: str) -> None:
    assert first_inner_url(request(url)) is None


def test_it_is_found_wherever_it_stands() -> None:
    told = {
        "tools": [{"type": "mcp", "server_url": "http://10.0.0.1"}],
        "prompt": {"variables": {"a": {"file_url": INNER[0]}}},
    }
    assert [path for path, _ in inner_urls(told)] == ["tools[0].server_url", "prompt.variables.a.file_url"]
