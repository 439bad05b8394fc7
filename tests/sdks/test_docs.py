"""The programs that docs/sdk.md shows, run as they stand there."""

import re

import pytest

from tests.fakes.drop_in import KEY, DropIn
from tests.fakes.sdks import CHECKOUT, NEWEST, run_sdk

PROGRAMS = re.findall(r"^```python\n(.*?)^```", (CHECKOUT / "docs" / "sdk.md").read_text(), re.MULTILINE | re.DOTALL)
PRINTED = (
    r"Sandbox: no language model\..*",
    r"completed Sandbox: no language model\..*",
    r"Sandbox: no language model\..*hello.*",
    r"job_[0-9a-f]{32} .*",
)


@pytest.mark.parametrize("number", range(len(PRINTED)))
def test_a_program_of_the_page_does_what_it_says(number: int, drop_in: DropIn) -> None:
    assert len(PROGRAMS) == len(PRINTED)
    source = PROGRAMS[number].replace("http://127.0.0.1:8000/v1", drop_in.base_url).replace("rsp_…", KEY)
    assert re.fullmatch(PRINTED[number], run_sdk(NEWEST, source).strip(), re.DOTALL)
