import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.file_download import attachment


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("notes v1.txt", 'attachment; filename="notes v1.txt"'),
        ("né.mp4", "attachment; filename=\"n_.mp4\"; filename*=UTF-8''n%C3%A9.mp4"),
        ('a"; filename=b', "attachment; filename=\"a_; filename=b\"; filename*=UTF-8''a%22%3B%20filename%3Db"),
        ("a\\b", "attachment; filename=\"a_b\"; filename*=UTF-8''a%5Cb"),
    ],
)
def test_a_name_is_told_plainly_and_whole(name: str, header: str) -> None:
    assert attachment(name) == header


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=255))
def test_any_name_makes_one_header_of_ascii_that_a_reader_gets_back(name: str) -> None:
    header = attachment(name)
    assert re.fullmatch(r"[ -~]+", header)
    plain = re.match(r'attachment; filename="([^"\\]+)"', header)
    assert plain is not None
    assert name == (unquote(header.partition("''")[2]) if "filename*=" in header else plain[1])
