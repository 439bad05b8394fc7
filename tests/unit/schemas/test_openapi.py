"""The schemas as an OpenAPI 3.1 document shows them, and that it judges bodies as they do."""

from typing import Any

import jsonschema_rs
import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow.fields import Field

from schemas.error import ErrorSchema
from schemas.estimate import JobEstimateSchema
from schemas.job import JobListSchema, job_create_schema
from schemas.lane import LaneChangeSchema, LaneListSchema
from schemas.project import ProjectChangeSchema, ProjectListSchema
from schemas.request import DEFAULT_MODELS
from schemas.usage import UsageListSchema

SCHEMAS = (
    JobListSchema, JobEstimateSchema, LaneListSchema, LaneChangeSchema, ProjectListSchema, ProjectChangeSchema,
    ErrorSchema, UsageListSchema,
)  # fmt: skip


def variants2properties(self: Any, field: Field[Any], **_: Any) -> dict[str, Any]:
    shapes = [self.field2property(variant) for variant in getattr(field, "variants", ())]
    if not shapes:
        return {}
    return {"anyOf": [*shapes, {"type": "null"}] if field.allow_none else shapes}


@pytest.fixture(scope="module")
def components() -> dict[str, Any]:
    plugin = MarshmallowPlugin()
    spec = APISpec("t", "1", "3.1.0", plugins=[plugin])
    assert plugin.converter is not None
    plugin.converter.add_attribute_function(variants2properties)
    spec.components.schema("JobCreate", schema=job_create_schema(frozenset(DEFAULT_MODELS), "refuse"))
    for schema in SCHEMAS:
        spec.components.schema(schema.__name__.removesuffix("Schema"), schema=schema)
    found: dict[str, Any] = spec.to_dict()["components"]["schemas"]
    return found


@pytest.fixture(scope="module")
def accepts(components: dict[str, Any]) -> Any:
    document = {"$ref": "#/components/schemas/JobCreate", "components": {"schemas": components}}
    return jsonschema_rs.validator_for(document).is_valid


def test_components_have_the_names_of_their_nouns(components: dict[str, Any]) -> None:
    assert {
        "JobCreate",
        "CreateResponse",
        "Job",
        "JobList",
        "Attempt",
        "Response",
        "Usage",
        "Error",
        "InputVideo",
        "JobEstimate",
        "Lane",
        "LaneChange",
        "Project",
    } <= set(components)


def test_bounds_and_words_are_shown(components: dict[str, Any]) -> None:
    fields = components["CreateResponse"]["properties"]
    assert (fields["temperature"]["minimum"], fields["temperature"]["maximum"]) == (0, 2)
    assert fields["max_output_tokens"]["minimum"] == 1
    assert set(fields["model"]["enum"]) == set(DEFAULT_MODELS)
    assert components["InputVideo"]["properties"]["fps"]["exclusiveMinimum"] == 0
    assert components["LaneChange"]["properties"]["in_flight"]["minimum"] == 1
    assert components["ProjectChange"]["properties"]["weight"]["maximum"] == 1000
    assert components["CreateResponse"]["required"] == ["input", "model"]
    assert components["CreateResponse"]["additionalProperties"] is False
    assert components["HostedTool"]["additionalProperties"] is True


def test_the_document_takes_the_example_of_the_page(accepts: Any, page_request: dict[str, Any]) -> None:
    assert accepts({"request": page_request, "max_attempts": 3})


@pytest.mark.parametrize(
    "fields",
    [
        {"input": "hi", "tools": [{"type": "web_search", "x": 1}], "tool_choice": "auto"},
        {"input": [{"type": "function_call_output", "call_id": "c", "output": "1"}], "instructions": None},
        {"input": [{"id": "msg_1"}], "text": {"format": {"type": "json_object"}}, "metadata": {"a": "b"}},
    ],
)
def test_the_document_takes_what_the_schemas_take(accepts: Any, fields: dict[str, Any]) -> None:
    body = {"request": {"model": "glm-4.7", **fields}}
    assert job_create_schema(None, "refuse").load(body)
    assert accepts(body)


@pytest.mark.parametrize(
    "fields",
    [
        {"input": ""},
        {"input": []},
        {"input": 1},
        {"input": "hi", "temperature": 2.1},
        {"input": "hi", "model": "other"},
        {"input": "hi", "nonsense": 1},
        {"input": [{"role": "user", "content": [{"type": "input_video", "video_url": "http://h/", "fps": 0}]}]},
    ],
)
def test_the_document_refuses_what_the_schemas_refuse(accepts: Any, fields: dict[str, Any]) -> None:
    assert not accepts({"request": {"model": "glm-4.7", **fields}})
