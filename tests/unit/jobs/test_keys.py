import inspect
import re
from importlib import resources
from pathlib import Path

from jobs import keys
from jobs.record import FIELDS
from tests.factories import new_job

DOCUMENT = (Path(__file__).parents[3] / "docs" / "redis-keys.md").read_text(encoding="utf-8")
LUA = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in (resources.files("jobs") / "lua", resources.files("jobs") / "lua" / "parts")
    for path in folder.iterdir()
    if path.name.endswith(".lua")
)


def made_keys() -> list[str]:
    """One of each kind, all names in it being `x`."""
    makers = [make for _, make in inspect.getmembers(keys, inspect.isfunction)]
    return [make(*("x" for _ in inspect.signature(make).parameters)) for make in makers]


def test_everything_lies_under_one_hash_tag_so_that_a_cluster_keeps_it_together() -> None:
    names = [value for name, value in vars(keys).items() if name.isupper()]
    made = made_keys()
    assert len(made) > 20
    assert all(name.startswith("{respool}:") for name in [*names, *made])
    assert len(set(made)) == len(made)


def test_every_kind_of_key_is_documented_and_no_other() -> None:
    channels = {keys.WAKE, keys.WAKE_DELIVERIES, keys.ENDED_CHANNEL, keys.PREFIX}
    constants = {value for name, value in vars(keys).items() if name.isupper()} - channels
    kinds = {key.removeprefix(keys.PREFIX).split(":")[0] for key in {*made_keys(), *constants}}
    kinds |= set(re.findall(r"prefix \.\. '([a-z_]+)", LUA)) - {"wake", "wake_deliveries", "ended_jobs"}
    documented = re.findall(r"(?m)^\| `([a-z_]+)[:`].*\| (?:string|hash|list|set|sorted set|stream) \|", DOCUMENT)
    assert len(documented) == len(set(documented))
    assert set(documented) == kinds


def test_every_field_of_the_record_is_documented() -> None:
    table = DOCUMENT.partition("The record's fields:")[2].partition("A delivery's fields")[0]
    read = {
        name
        for names in re.findall(r"\bread\([^'()]+, ((?:'[a-z_]+'(?:,\s*)?)+)\)", LUA)
        for name in re.findall(r"[a-z_]+", names)
    }
    assert {"released", "series"} <= read
    assert {*new_job().fields(), *FIELDS, *read} - set(re.findall(r"`([a-z_]+)`", table)) == set()


def test_every_field_of_a_delivery_is_documented() -> None:
    table = DOCUMENT.partition("A delivery's fields:")[2].partition("Every script")[0]
    read = {
        name
        for names in re.findall(r"\bread_delivery\([^'()]+, ((?:'[a-z_]+'(?:,\s*)?)+)\)", LUA)
        for name in re.findall(r"[a-z_]+", names)
    }
    assert {"since", "nonce"} <= read
    assert read - set(re.findall(r"`([a-z_]+)`", table)) == set()
