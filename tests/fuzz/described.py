"""Schemathesis as a value: what it asked of a running service, and what it found."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import schemathesis
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import NonFatalError, ScenarioFinished
from schemathesis.engine.recorder import CheckNode, Interaction, ScenarioRecorder

KNOWN = {
    (
        "positive_data_acceptance",
        400,
    ): "no schema says which cursors exist, which jobs failed, which fields exclude each other",
    ("positive_data_acceptance", 422): "an Idempotency-Key that was used with another body",
    ("positive_data_acceptance", 413): "a body above the service's limit",
    ("negative_data_rejection", 414): "a line that gunicorn does not read to its end, and refuses in its own words",
    ("negative_data_rejection", 200): "of a parameter of deepObject style only its own names are read",
    ("unsupported_method", 200): "GET /v1/lanes/{lane}/pause is GET of a lane, too: a model's name may hold slashes",
    ("unsupported_method", 400): "and PATCH of it is PATCH of a lane, whose body has other fields",
    ("allow_header_conformance", 200): "and so Allow tells of more routes than one",
}
"""What schemathesis takes for a failure and is none, by check and by the status of the answer."""

UNREAD = 414


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
        if (check.name, status) in KNOWN and (status < 400 or status == UNREAD or _says_which(interaction)):
            self.known[f"{check.name} {status}"] += 1
        else:
            self.failures.append(_told(check, interaction))


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
