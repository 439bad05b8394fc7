from pathlib import Path

import pytest

from jobs.errors import SettingsError
from jobs.limits import Limits, read_limits
from jobs.models import accounts_of, models_of
from jobs.settings import Settings
from schemas.request import DEFAULT_MODELS

A = '[accounts.a]\nurl = "http://a"\nmodels = ["one", "two"]\n'
B = '[accounts.b]\nurl = "http://b"\nmodels = ["two", "three"]\n'
ANY = '[accounts.any]\nurl = "http://any"\n'


def limits(tmp_path: Path, text: str) -> Limits:
    file = tmp_path / "limits.toml"
    file.write_text(text)
    return read_limits(file)


@pytest.mark.parametrize(
    ("text", "named", "models"),
    [
        ("", (), set(DEFAULT_MODELS)), ("", ("*",), None), ("", ("x",), {"x"}),
        (A + B, ("*",), {"one", "two", "three"}), (A, ("two", "three"), {"two"}),
        (A + ANY, ("*",), None), (A + ANY, ("x",), {"x"}),
    ],
)  # fmt: skip
def test_a_model_may_be_named_if_the_operator_says_so_and_an_account_has_it(
    text: str, named: tuple[str, ...], models: set[str] | None, tmp_path: Path
) -> None:
    assert models_of(Settings(models=named), limits(tmp_path, text)) == models


def test_without_a_model_left_the_process_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="RESPOOL_MODELS"):
        models_of(Settings(models=("other",)), limits(tmp_path, A))


def test_accounts_are_told_with_their_models(tmp_path: Path) -> None:
    assert accounts_of(limits(tmp_path, A + ANY)) == {"a": frozenset({"one", "two"}), "any": None}
    assert accounts_of(Limits()) == {"default": None}
