"""Schemathesis as a value: what it asked of a running service, and what it found."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import schemathesis
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import NonFatalError, ScenarioFinished
from schemathesis.engine.recorder import CheckNode, Interaction, ScenarioRecorder

UNREAD = 414


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What schemathesis takes for a failure and is none: of paths that `paths` is found in. `why` is for the reader."""

    check: str
    status: int
    paths: str = ""
    why: str


LANES = "^/v1/lanes/"
KNOWN = (
    Known(
        check="positive_data_acceptance",
        status=400,
        why="no schema says which cursors exist, which jobs failed, which fields exclude each other",
    ),
    Known(check="positive_data_acceptance", status=422, why="an Idempotency-Key that was used with another body"),
    Known(check="positive_data_acceptance", status=413, why="a body above the service's limit"),
    Known(
        check="negative_data_rejection",
        status=UNREAD,
        why="a line that gunicorn does not read to its end, and refuses in its own words",
    ),
    Known(
        check="negative_data_rejection",
        status=200,
        paths="^/v1/(jobs|responses)$",
        why="of a parameter of deepObject style (metadata) only its own names are read",
    ),
    Known(
        check="unsupported_method",
        status=200,
        paths=LANES,
        why="GET /v1/lanes/{lane}/pause is GET of a lane, too: a model's name may hold slashes",
    ),
    Known(check="unsupported_method", status=400, paths=LANES, why="and PATCH is PATCH of a lane, with other fields"),
    Known(check="allow_header_conformance", status=200, paths=LANES, why="and Allow tells of more routes than one"),
)


@dataclass(slots=True)
class Found:
    """`known` counts what was expected, `failures` names what was not: check, call, status and answer."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, recorder: ScenarioRecorder) -> None:
        for case, interaction in recorder.interactions.items():
            self.requests += 1
            if interaction.response is not None:
                self.statuses[interaction.response.status_code] += 1
            for check in recorder.checks.get(case, ()):
                self.checks[check.name] += 1
                if check.status is Status.FAILURE:
                    self._judge(check, interaction)

    def _judge(self, check: CheckNode, interaction: Interaction) -> None:
        status = interaction.response.status_code if interaction.response else 0
        known = _known(check.name, status, urlsplit(interaction.request.uri).path)
        if known and (status < 400 or status == UNREAD or _says_which(interaction)):
            self.known[f"{check.name} {status}"] += 1
        else:
            self.failures.append(_told(check, interaction))


def _known(check: str, status: int, path: str) -> bool:
    return any((known.check, known.status) == (check, status) and re.search(known.paths, path) for known in KNOWN)


def _says_which(interaction: Interaction) -> bool:
    """A refusal has the one shape of errors: which field it is about, if it is about one, and a code."""
    answer = interaction.response.json() if interaction.response else None
    return isinstance(answer, Mapping) and set(answer["error"]) == {"message", "type", "param", "code"}


def _told(check: CheckNode, interaction: Interaction) -> str:
    sent, came = interaction.request, interaction.response
    answer = f"{came.status_code} {came.content[:400]!r}" if came else "no answer"
    failure = check.failure_info.failure if check.failure_info else ""
    return f"{check.name}: {sent.method} {sent.uri} {(sent.body or b'')[:400]!r}: {answer}: {failure}"


def fuzzed(
    base: str, *, key: str, seed: int, examples: int, phases: tuple[str, ...], seconds: int, paths: str = ""
) -> Iterator[Found]:
    """One round over the operations whose path fits `paths`; yields what was found so far after each scenario."""
    every = ("examples", "coverage", "fuzzing", "stateful")
    config = schemathesis.Config.from_dict(
        {
            "seed": seed,
            "max-time": seconds,
            "headers": {"Authorization": f"Bearer {key}"},
            "continue-on-failure": True,
            "request-timeout": 60,
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
            "phases": {phase: {"enabled": phase in phases} for phase in every},
        }
    )
    schema = schemathesis.openapi.from_url(f"{base}/openapi.json", config=config)
    if paths:
        schema = schema.include(path_regex=paths)
    found = Found()
    for event in from_schema(schema).execute():
        if isinstance(event, ScenarioFinished):
            found.add(event.recorder)
            yield found
        elif isinstance(event, NonFatalError):
            found.failures.append(f"{event.label}: {event.info.format()}")
