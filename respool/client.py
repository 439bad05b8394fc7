"""HTTP to the API: one method for each thing the command line asks of it."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from respool.errors import Refused, Unreachable
from respool.job_view import JobView, read_job, shown
from respool.target import Target

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
PAGE_JOBS = 100
SHORTEST_WAIT_SECONDS = 1.0

RETRIES = Retry(
    total=4,
    connect=2,
    read=1,
    backoff_factor=0.3,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=None,  # a POST is safe to repeat too: it carries an Idempotency-Key
    respect_retry_after_header=True,
    retry_after_max=10,
    raise_on_status=False,
)


class CursorRefused(Refused):
    """What a page was to begin after is not there."""


class Api:
    """Raises Unreachable if nobody answers and Refused if the answer is no, from every method."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._session = requests.Session()
        self._session.trust_env = not _loopback(target.url)
        self._session.auth = self._authorize
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=RETRIES))

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._target.api_key:
            request.headers["Authorization"] = f"Bearer {self._target.api_key}"
        return request

    def submit(self, body: dict[str, Any], *, idempotency_key: str) -> JobView:
        return _job(self._ask("POST", "/v1/jobs", json=body, headers={"Idempotency-Key": idempotency_key}))

    def job(self, job_id: str, *, wait_seconds: int = 0) -> JobView:
        """The job; held back until it ends, but no longer than `wait_seconds`."""
        headers = {"Prefer": f"wait={wait_seconds}"} if wait_seconds else {}
        return _job(self._ask("GET", f"/v1/jobs/{job_id}", headers=headers, seconds=wait_seconds + ANSWER_SECONDS))

    def follow(self, job_id: str, *, every_seconds: int) -> Iterator[JobView]:
        """The job now, then each time it was waited for, until it has ended."""
        job = self.job(job_id)
        yield job
        while not job.ended:
            asked_at = time.monotonic()
            job = self.job(job_id, wait_seconds=every_seconds)
            yield job
            if not job.ended and (early := SHORTEST_WAIT_SECONDS - (time.monotonic() - asked_at)) > 0:
                # Something between us and the service does not hold answers back.
                time.sleep(early)

    def jobs(self, *, status: str | None, most: int) -> Iterator[JobView]:
        """The newest jobs, at most so many."""
        query: dict[str, str | int] = {"status": status} if status else {}
        while most > 0:
            page = self._ask("GET", "/v1/jobs", params={**query, "limit": min(most, PAGE_JOBS)})
            found = [_job(document) for document in page["data"]]
            yield from found
            if not page["has_more"] or not found:
                return
            most -= len(found)
            query["after"] = page["last_id"]

    def all_jobs(self) -> Iterator[dict[str, Any]]:
        """Every job as it is handed out, newest first, a page at a time; those submitted meanwhile are left out."""
        last_ids: list[str] = []
        while True:
            page = self._page_after(last_ids)
            seen = set(last_ids)
            yield from (job for job in page["data"] if job["id"] not in seen)
            last_ids = [str(job["id"]) for job in page["data"]] or last_ids
            if not page["has_more"] or not page["data"]:
                return

    def _page_after(self, ids: list[str]) -> dict[str, Any]:
        """What comes after the last of these jobs; after an earlier one if that was deleted meanwhile."""
        for place in range(len(ids) - 1, 0, -1):
            try:
                return self._ask("GET", "/v1/jobs", params={"limit": PAGE_JOBS, "after": ids[place]})
            except CursorRefused:
                continue
        start = {"after": ids[0]} if ids else {}
        return self._ask("GET", "/v1/jobs", params={"limit": PAGE_JOBS, **start})

    def usage(self, day: date) -> list[dict[str, Any]]:
        """What was used on the day, by project, model and key."""
        document = self._ask("GET", "/v1/usage", params={"from": day.isoformat(), "to": day.isoformat()})
        return list(document["data"])

    def _ask(self, method: str, path: str, *, seconds: float = ANSWER_SECONDS, **parts: Any) -> dict[str, Any]:
        url = self._target.url + path
        timeout = (CONNECT_SECONDS, seconds)
        try:
            answer = self._session.request(method, url, timeout=timeout, allow_redirects=False, **parts)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.RetryError) as error:
            raise Unreachable(f"nothing answers at {self._target.url}; is the service running?") from error
        except requests.RequestException as error:
            raise Unreachable(f"cannot ask {self._target.url}: {error}") from error
        document = _json(answer)
        if not answer.ok or answer.is_redirect or document is None:
            kind = CursorRefused if _refuses_cursor(document) else Refused
            raise kind(refusal(answer.status_code, document))
        return document


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _json(answer: requests.Response) -> dict[str, Any] | None:
    try:
        document = answer.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _refuses_cursor(document: dict[str, Any] | None) -> bool:
    match document:
        case {"error": {"param": "after"}}:
            return True
    return False


def _job(document: dict[str, Any]) -> JobView:
    try:
        return read_job(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused("the service answered with something that is no job") from error


def refusal(http_status: int, document: dict[str, Any] | None) -> str:
    """The protocol's error object as text: a line for each mistake."""
    match document:
        case {"errors": [{"message": str()}, *_] as mistakes}:
            lines = [f"{m['param']}: {m['message']}" if m.get("param") else str(m["message"]) for m in mistakes]
            return "\n".join(
                [f"refused ({http_status}): {len(lines)} mistakes", *(f"  {shown(line)}" for line in lines)]
            )
        case {"error": {"message": str(message)}}:
            return f"refused ({http_status}): {shown(message)}"
    return f"the service answered with HTTP {http_status} and no reason"
