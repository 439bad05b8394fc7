"""The names of everything in Redis, all under one hash tag; docs/redis-keys.md says what each holds."""

from __future__ import annotations

PREFIX = "{respool}:"

WAKE = PREFIX + "wake"
COUNTERS = PREFIX + "counters"
METRICS = PREFIX + "metrics"
METRIC_LANES = PREFIX + "metric_lanes"
WORKERS = PREFIX + "workers"
BACKLOGS = PREFIX + "backlogs"
LANES = PREFIX + "lanes"
DISPATCHER = PREFIX + "leader"
SWEEP = PREFIX + "sweep"
SENDERS = PREFIX + "senders"
DELIVERY_LEADER = PREFIX + "delivery_lead"
DELIVERY_SWEEP = PREFIX + "delivery_sweep"
WAKE_DELIVERIES = PREFIX + "wake_deliveries"
PROJECTS = PREFIX + "projects"
API_KEYS = PREFIX + "api_keys"
SECRET = PREFIX + "secret"
FILE_SWEEP = PREFIX + "file_sweep"
BATCHES_OPEN = PREFIX + "batches_open"
PROBE = PREFIX + "probe"
ENDED_CHANNEL = PREFIX + "ended_jobs"


def job(number: str) -> str:
    return f"{PREFIX}job:{number}"


def attempts(number: str) -> str:
    return f"{PREFIX}attempts:{number}"


def log(number: str) -> str:
    """Also the channel on which its followers hear of its growth, and of the job's beginning and end."""
    return f"{PREFIX}log:{number}"


def index(project: str, status: str) -> str:
    return f"{PREFIX}index:{project}:{status}"


def idempotency(project: str, digest: str) -> str:
    return f"{PREFIX}idempotency:{project}:{digest}"


def repeat(project: str, digest: str) -> str:
    return f"{PREFIX}repeat:{project}:{digest}"


def backlog(name: str) -> str:
    return f"{PREFIX}backlog:{name}"


def backlog_projects(name: str) -> str:
    return f"{PREFIX}backlog_projects:{name}"


def backlog_parked(name: str) -> str:
    return f"{PREFIX}backlog_parked:{name}"


def backlog_jobs(name: str, project: str) -> str:
    return f"{PREFIX}backlog_jobs:{project}:{name}"


def lane(name: str) -> str:
    return f"{PREFIX}lane:{name}"


def lane_settings(name: str) -> str:
    return f"{PREFIX}lane_settings:{name}"


def lane_slots(name: str) -> str:
    return f"{PREFIX}lane_slots:{name}"


def lane_starts(name: str) -> str:
    return f"{PREFIX}lane_starts:{name}"


def lane_runs(name: str) -> str:
    return f"{PREFIX}lane_runs:{name}"


def project(name: str) -> str:
    return f"{PREFIX}project:{name}"


def project_slots(name: str) -> str:
    return f"{PREFIX}project_slots:{name}"


def spent(project: str, period: str) -> str:
    """`period` is `dayN`, N counted from 1970-01-01, or `monthN`, N counted from the year 0."""
    return f"{PREFIX}spent:{project}:{period}"


def worker(worker_id: str) -> str:
    return f"{PREFIX}worker:{worker_id}"


def worker_jobs(worker_id: str) -> str:
    return f"{PREFIX}worker_jobs:{worker_id}"


def worker_queue(worker_id: str) -> str:
    """The list that Celery's worker process pops its messages from."""
    return f"{PREFIX}queue:{worker_id}"


def usage(project: str, day: int) -> str:
    """`day` counts from 1970-01-01."""
    return f"{PREFIX}usage:{project}:{day}"


def series(step: str, project: str, number: int) -> str:
    """`step` is `minute` or `hour`; `number` counts them from 1970-01-01."""
    return f"{PREFIX}series:{step}:{project}:{number}"


def api_key(digest: str) -> str:
    return f"{PREFIX}api_key:{digest}"


def wrong_keys(place: int) -> str:
    return f"{PREFIX}wrong_keys:{place}"


def signed_out(name: str) -> str:
    """`name` is the id of an API key, or the digest of a session's token."""
    return f"{PREFIX}signed_out:{name}"


def events(project: str) -> str:
    return f"{PREFIX}events:{project}"


def webhook_endpoint(number: str) -> str:
    return f"{PREFIX}webhook_endpoint:{number}"


def webhook_endpoints(project: str) -> str:
    return f"{PREFIX}webhook_endpoints:{project}"


def webhook_routes(project: str) -> str:
    return f"{PREFIX}webhook_routes:{project}"


def delivery(number: str) -> str:
    return f"{PREFIX}delivery:{number}"


def delivery_log(number: str) -> str:
    return f"{PREFIX}delivery_log:{number}"


def job_deliveries(number: str) -> str:
    return f"{PREFIX}job_deliveries:{number}"


def project_deliveries(kind: str, project: str) -> str:
    """`kind` is `open`, `delivered` or `dead`."""
    return f"{PREFIX}project_deliveries:{kind}:{project}"


def endpoint_deliveries(kind: str, endpoint: str) -> str:
    """`kind` is `open`, `delivered` or `dead`."""
    return f"{PREFIX}endpoint_deliveries:{kind}:{endpoint}"


def origin(project: str, name: str) -> str:
    """`name` is SCHEME://HOST:PORT."""
    return f"{PREFIX}origin:{project}|{name}"


def sender(sender_id: str) -> str:
    return f"{PREFIX}sender:{sender_id}"


def sender_deliveries(sender_id: str) -> str:
    return f"{PREFIX}sender_deliveries:{sender_id}"


def file(number: str) -> str:
    return f"{PREFIX}file:{number}"


def files(purpose: str, project: str) -> str:
    return f"{PREFIX}files:{purpose}:{project}"


def batch(number: str) -> str:
    return f"{PREFIX}batch:{number}"


def batches(project: str) -> str:
    return f"{PREFIX}batches:{project}"


def batch_running(number: str) -> str:
    return f"{PREFIX}batch_running:{number}"


def batch_refusals(number: str) -> str:
    return f"{PREFIX}batch_refusals:{number}"
