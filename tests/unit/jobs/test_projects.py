import pytest

from jobs import keys
from jobs.errors import ProjectNotFound
from jobs.projects import LIMIT_FIELDS, Project, ProjectLimits, check_change, shown_limit
from jobs.tenants import Tenants
from tests.fakes.bench import COMPLETED, Bench, answered
from tests.fakes.clock import Clock

CHANGES: dict[str, int | float | None] = {
    "weight": 2.5, "max_queued": 10, "max_in_flight": 3, "submits_per_minute": 60, "tokens_per_day": 1000,
    "tokens_per_month": 20_000, "cost_per_day": 0.25, "cost_per_month": 12.5,
}  # fmt: skip


def test_a_new_project_is_unlimited_and_of_weight_one(bench: Bench) -> None:
    bench.submit(project="p")
    assert bench.projects.get("p").limits == ProjectLimits()
    assert ProjectLimits() == ProjectLimits(weight=1.0, max_queued=None, cost_per_day=None)


def test_every_limit_reads_back_as_it_was_set_and_is_taken_away_by_none(bench: Bench) -> None:
    assert set(CHANGES) == set(LIMIT_FIELDS)
    assert bench.projects.change("p", CHANGES).limits == ProjectLimits(**CHANGES)  # type: ignore[arg-type]
    assert bench.projects.change("p", {"max_queued": None}).limits == ProjectLimits(
        **CHANGES | {"max_queued": None}  # type: ignore[arg-type]
    )
    assert bench.projects.change("p", dict.fromkeys(LIMIT_FIELDS)).limits == ProjectLimits()


def test_a_change_makes_the_project_and_an_unknown_one_is_not_found(bench: Bench) -> None:
    with pytest.raises(ProjectNotFound, match="p"):
        bench.projects.get("p")
    bench.projects.change("p", {})
    assert bench.projects.get("p").name == "p"


def test_a_name_that_no_project_can_have_is_refused(bench: Bench) -> None:
    for name in ("", "P", "a b", "-a", "a:b", "a" * 64):
        with pytest.raises(ValueError, match="name"):
            bench.projects.change(name, {})
    assert bench.projects.all() == []


def test_all_projects_are_listed_by_name_those_with_a_key_alone_too(bench: Bench) -> None:
    bench.submit(project="z")
    bench.projects.change("m", {"weight": 2.0})
    Tenants(bench.client, secret="s").create(project="a", role="member")
    assert [project.name for project in bench.projects.all()] == ["a", "m", "z"]


def test_a_project_shows_what_it_holds_and_has_taken(bench: Bench, clock: Clock) -> None:
    claim = bench.run_one(project="p", tokens=50, nano=3_000_000_000)
    bench.submit(project="p", tokens=70, nano=1_000_000_000)
    bench.submit(project="q", tokens=1)
    assert bench.projects.get("p") == Project(
        name="p", limits=ProjectLimits(), queued=1, in_flight=1, held_tokens=120, held_cost=4.0, tokens_today=0,
        tokens_this_month=0, cost_today=0.0, cost_this_month=0.0,
    )  # fmt: skip
    bench.runs().finish(claim, COMPLETED, answered(40, nano=2_500_000_000))
    assert bench.projects.get("p") == Project(
        name="p", limits=ProjectLimits(), queued=1, in_flight=0, held_tokens=70, held_cost=1.0, tokens_today=40,
        tokens_this_month=40, cost_today=2.5, cost_this_month=2.5,
    )  # fmt: skip


def test_a_new_day_begins_at_nothing_and_the_month_goes_on(bench: Bench, clock: Clock) -> None:
    claim = bench.run_one(project="p")
    bench.runs().finish(claim, COMPLETED, answered(40, nano=10))
    clock.forward(86_400)
    project = bench.projects.get("p")
    assert (project.tokens_today, project.tokens_this_month) == (0, 40)
    clock.forward(31 * 86_400)
    project = bench.projects.get("p")
    assert (project.tokens_this_month, project.cost_this_month) == (0, 0.0)


def test_what_was_spent_is_kept_for_a_bounded_time(bench: Bench, clock: Clock) -> None:
    bench.runs().finish(bench.run_one(project="p"), COMPLETED, answered(40))
    days = sorted(bench.client.ttl(key) / 86_400 for key in bench.client.scan_iter(match=keys.spent("p", "*")))
    assert days == pytest.approx([2, 33], abs=0.01)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("weight", [0.001, 1, 1000], [0, 0.0009, 1001, "1", True, float("nan")]),
        ("max_queued", [1, 10**12], [0, -1, 1.5, "1", True, 10**12 + 1]),
        ("max_in_flight", [1], [0, 2.0]),
        ("submits_per_minute", [1, 10**6], [0, 10**6 + 1]),
        ("tokens_per_day", [1], [0]),
        ("tokens_per_month", [1], [0]),
        ("cost_per_day", [0, 0.5, 10**6], [-0.1, 10**6 + 1, "1", float("inf")]),
        ("cost_per_month", [0], [-1]),
    ],
)
def test_a_change_is_checked_and_a_wrong_one_names_its_field(field: str, good: list[object], bad: list[object]) -> None:
    for value in [*good, None]:
        assert check_change({field: value}) == {field: value}
    for value in bad:
        with pytest.raises(ValueError, match=f"{field} must be"):
            check_change({field: value})


def test_a_change_of_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="nano_per_day"):
        check_change({"nano_per_day": 1})


@pytest.mark.parametrize(
    ("name", "bound", "shown"),
    [
        ("max_queued", 5, ("max_queued", "5")),
        ("nano_per_day", 250_000_000, ("cost_per_day", "0.25")),
        ("nano_per_month", 12 * 10**9, ("cost_per_month", "12")),
    ],
)
def test_a_limit_is_shown_in_the_words_and_units_in_which_it_is_set(
    name: str, bound: int, shown: tuple[str, str]
) -> None:
    assert shown_limit(name, bound) == shown
