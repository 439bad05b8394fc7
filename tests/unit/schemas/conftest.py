"""What the tests of the wire formats share: the page's own request, and mistakes as a flat table."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from marshmallow import Schema, ValidationError

from schemas.mistakes import flatten
from schemas.request import DEFAULT_MODELS, request_schema

# A busy machine is no mistake of the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

MistakesOf = Callable[[Any], dict[str, str]]


@pytest.fixture
def page_request() -> dict[str, Any]:
    return {
        "model": "doubao-seed-1-6-251015",
        "input": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "input_image",
                        "image_url": "https://ark-project.tos-cn-beijing.volces.com/doc_image/ark_demo_img_1.png",
                    },
                    {"type": "input_text", "text": "What is in this image?"},
                ],
            }
        ],
        "stream": False,
        "temperature": 1,
        "top_p": 0.5,
        "max_output_tokens": 2,
        "reasoning": {"effort": "minimal"},
    }


@pytest.fixture(scope="session")
def refusing() -> Schema:
    return request_schema(frozenset(DEFAULT_MODELS), "refuse")


@pytest.fixture(scope="session")
def forwarding() -> Schema:
    return request_schema(None, "forward")


@pytest.fixture(scope="session")
def mistakes_of(refusing: Schema) -> MistakesOf:
    """The mistakes of a request body, path → message; {} if it is accepted, and then it came back as it was."""

    def told(body: Any) -> dict[str, str]:
        try:
            assert refusing.load(body) is body
        except ValidationError as error:
            return {mistake.path: mistake.message for mistake in flatten(error.messages)}
        return {}

    return told


@pytest.fixture(scope="session")
def mistakes_with(mistakes_of: MistakesOf) -> Callable[..., dict[str, str]]:
    """The mistakes of a smallest request with the given fields set."""
    return lambda **fields: mistakes_of({"model": "glm-4.7", "input": "hi", **fields})


@pytest.fixture(scope="session")
def mistakes_in_part(mistakes_of: MistakesOf) -> Callable[[Any], dict[str, str]]:
    """The mistakes of one content part; paths begin at the part."""
    start = "input[0].content[0]"

    def told(part: Any) -> dict[str, str]:
        found = mistakes_of({"model": "glm-4.7", "input": [{"role": "user", "content": [part]}]})
        assert all(path.startswith(start) for path in found)
        return {path.removeprefix(start).lstrip("."): message for path, message in found.items()}

    return told
