"""The programs that the pages show, run as they stand there."""

import re

import pytest

from tests.fakes.drop_in import KEY, DropIn
from tests.fakes.sdks import CHECKOUT, NEWEST, run_sdk

PRINTED = {
    "sdk": (
        r"Sandbox: no language model\..*",
        r"completed Sandbox: no language model\..*",
        r"Sandbox: no language model\..*hello.*",
        r"job_[0-9a-f]{32} .*",
    ),
    "batches": (
        r"completed 3 of 3\nfilm-1 Sandbox: .*film 1.*\nfilm-2 Sandbox: .*film 2.*\nfilm-3 Sandbox: .*film 3.*",
        r"",
    ),
}


def programs(page: str) -> list[str]:
    text = (CHECKOUT / "docs" / f"{page}.md").read_text()
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "number"), [(page, n) for page, printed in PRINTED.items() for n in range(len(printed))]
)
def test_a_program_of_the_page_does_what_it_says(page: str, number: int, drop_in: DropIn) -> None:
    found = programs(page)
    assert len(found) == len(PRINTED[page])
    source = found[number].replace("http://127.0.0.1:8000/v1", drop_in.base_url).replace("rsp_…", KEY)
    assert re.fullmatch(PRINTED[page][number], run_sdk(NEWEST, source).strip(), re.DOTALL)
