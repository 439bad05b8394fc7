from pathlib import Path

import pytest

from schemas.request import DEFAULT_MODELS
from tests.unit.api.conftest import AppMaker, Caller, error_of

ACCOUNTS = '[accounts.one]\nurl = "http://one"\nmodels = ["glm-4.7", "a/b"]\n'


def test_the_models_that_a_request_may_name_are_listed(alice: Caller) -> None:
    listed = alice.get("/v1/models").json
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == sorted(DEFAULT_MODELS)
    assert listed["data"][0] == {
        "id": sorted(DEFAULT_MODELS)[0],
        "object": "model",
        "created": 0,
        "owned_by": "respool",
    }


@pytest.mark.parametrize(("models", "names"), [(("other", "glm-4.7"), ["glm-4.7"]), (("*",), ["a/b", "glm-4.7"])])
def test_the_settings_and_the_accounts_decide(
    models: tuple[str, ...], names: list[str], make_app: AppMaker, alice: Caller, tmp_path: Path
) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(ACCOUNTS)
    caller = Caller(make_app(models=models, limits_file=file).test_client(), alice.key)
    assert [model["id"] for model in caller.get("/v1/models").json["data"]] == names


def test_where_any_name_may_be_given_the_known_ones_are_listed(make_app: AppMaker, alice: Caller) -> None:
    caller = Caller(make_app(models=("*",)).test_client(), alice.key)
    assert [model["id"] for model in caller.get("/v1/models").json["data"]] == sorted(DEFAULT_MODELS)


def test_one_model_can_be_looked_at_also_with_a_slash_in_its_name(make_app: AppMaker, alice: Caller) -> None:
    caller = Caller(make_app(models=("a/b",)).test_client(), alice.key)
    for path in ("/v1/models/a/b", "/v1/models/a%2Fb"):
        assert caller.get(path).json["id"] == "a/b"
    missing = caller.get("/v1/models/x")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "model_not_found")
