"""Whether a batch's file is valid as a whole, before any of its lines becomes a job."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from jobs.batches.input_file import RawLine
from jobs.batches.input_line import LineMistake, LineRequest, read_line

MOST_LINES = 50_000
"""And as many in which nothing stands: each has a number that is looked at again and again."""

MOST_MISTAKES = 100


@dataclass(slots=True, kw_only=True)
class Validation:
    """Judges line by line and holds no more of them than 16 bytes each; `mistakes` are {code, line, message, param}."""

    endpoint: str
    most_line_bytes: int
    total: int = 0
    empty: int = 0
    model: str | None = None
    mistakes: list[dict[str, Any]] = field(default_factory=list)
    _seen: set[bytes] = field(default_factory=set)

    def add(self, raw: RawLine) -> None:
        """Judges one more line; an empty one is none."""
        self.total += raw.data != b""
        self.empty += raw.data == b""
        try:
            self._judge(raw)
        except LineMistake as mistake:
            self._note(mistake, raw.line)

    @property
    def is_decided(self) -> bool:
        """Whether what follows in the file can change nothing any more."""
        return len(self.mistakes) >= MOST_MISTAKES or self._has_too_many

    @property
    def _has_too_many(self) -> bool:
        return max(self.total, self.empty) > MOST_LINES

    def close(self) -> None:
        """Judges the whole, once all lines were added."""
        if self.total == 0 and not self.mistakes:  # too many empty lines are told as such
            self._note(LineMistake(code="empty_file", message="the file holds no requests"), None)

    def _judge(self, raw: RawLine) -> None:
        if self._has_too_many:
            message = (
                f"the file holds more than {MOST_LINES} {'requests' if self.total > MOST_LINES else 'empty lines'}"
            )
            raise LineMistake(code="too_many_lines", message=message)
        if raw.data is None:
            raise LineMistake(code="line_too_large", message=f"the line is larger than {self.most_line_bytes} bytes")
        if raw.data:
            self._judge_request(read_line(raw.data, endpoint=self.endpoint))

    def _judge_request(self, request: LineRequest) -> None:
        custom_id = hashlib.blake2b(request.custom_id.encode(), digest_size=16).digest()
        if custom_id in self._seen:
            message = "the custom_id stands in a line before"
            raise LineMistake(code="duplicate_custom_id", message=message, param="custom_id")
        self._seen.add(custom_id)
        self.model = self.model or request.model
        if request.model != self.model:
            message = "all requests of a file must be for the same model, which is that of the first"
            raise LineMistake(code="mismatched_model", message=message, param="body.model")

    def _note(self, mistake: LineMistake, line: int | None) -> None:
        self.mistakes.append({"code": mistake.code, "line": line, "message": mistake.message, "param": mistake.param})
