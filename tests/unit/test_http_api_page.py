"""docs/http-api.md has every route and every code of the API, and no others."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields

from werkzeug.exceptions import InternalServerError, MethodNotAllowed, NotFound

from api.app import create_app
from jobs.projects import ProjectLimits
from jobs.settings import Settings
from schemas.http_failure import OWN_STATUSES
from tests.fakes.pages import CHECKOUT, text_of

PAGE = text_of("docs/http-api.md")
REFUSALS, FAILURES = PAGE.partition("\n## Refusals\n")[2].partition("\nA job that failed says in `error` why")[::2]
SOURCES = [
    *(path for path in (CHECKOUT / "api").rglob("*.py") if "console" not in path.parts),
    CHECKOUT / "jobs" / "conversation.py",
    CHECKOUT / "jobs" / "intake.py",
]
NOT_OFFERED = {"POST /v1/responses/compact", "POST /v1/responses/input_tokens"}
CODE = re.compile(r"[a-z]+(_[a-z]+)+")


def rows(table: str) -> Iterator[tuple[str, str]]:
    """Status, or several, and codes of each row."""
    yield from re.findall(r"^\| (\d.+?) \| (.+?) \|", table, re.MULTILINE)


def told_routes() -> Iterator[str]:
    """`…` stands for the path that its row begins with, up to its first parameter where one follows."""
    for cell in re.findall(r"^\| (`[A-Z]+ /.+?) \|", PAGE.partition("\n## ")[0], re.MULTILINE):
        routes = re.findall(r"`([A-Z]+) ([^`]+)`", cell)
        first = routes[0][1]
        for method, path in routes:
            base = first.partition("/{")[0] if path.startswith("…/{") else first
            yield f"{method} {re.sub(r'{.+?}', '{}', path.replace('…', base))}"


def test_the_page_has_every_route_of_the_service_and_no_other(redis_url: str) -> None:
    rules = create_app(Settings(redis_url=redis_url)).url_map.iter_rules()
    served = {
        f"{method} {re.sub(r'<.+?>', '{}', rule.rule)}"
        for rule in rules
        if rule.rule.startswith(("/v1/", "/metrics", "/healthz", "/readyz"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    told = list(told_routes())
    assert len(told) == len(set(told))
    assert set(told) == served - NOT_OFFERED
    assert all(f"`{route}`" in PAGE.replace("\n", " ") for route in NOT_OFFERED)


def codes_of(tree: ast.AST) -> Iterator[tuple[str, int | None]]:
    """What is given as `code`, with the status of the refusal where it stands beside it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            status = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            for given in node.keywords:
                if given.arg == "code" and isinstance(given.value, ast.Constant) and isinstance(given.value.value, str):
                    yield given.value.value, status if isinstance(status, int) else None
        elif isinstance(node, ast.Assign) and "code" in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}:
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and CODE.fullmatch(part.value):
                    yield part.value, None


def test_the_page_has_every_code_of_a_refusal_under_its_status_and_no_other() -> None:
    told = {(code, status) for status, codes in rows(REFUSALS) for code in re.findall(r"`(\w+)`", codes)}
    given = {found for source in SOURCES for found in codes_of(ast.parse(source.read_text(encoding="utf-8")))}
    limits = {field.name for field in fields(ProjectLimits)} - {"weight", "max_in_flight"}
    by_http = {error().name.lower().replace(" ", "_") for error in (NotFound, MethodNotAllowed, InternalServerError)}
    assert {code for code, _ in told} == {code for code, _ in given} | limits | by_http
    statuses = {(code, str(status)) for code, status in given if status}
    assert [one for one in statuses if not any(one[0] == code and one[1] in status for code, status in told)] == []


def test_the_page_has_every_code_of_a_failed_job_under_its_status() -> None:
    told = [(code, status) for status, codes in rows(FAILURES) for code in re.findall(r"`(\w+[a-z])`", codes)]
    assert sorted(told) == sorted((code, str(status)) for code, status in OWN_STATUSES.items())
