"""What the views work with, made once for an application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from api.console.session import Sessions
from api.console.shared_looks import SharedLooks
from api.file_store import FileStore, open_file_store
from jobs.batches.lines import Lines
from jobs.batches.store import Batches
from jobs.connection import connect
from jobs.endings import Endings
from jobs.event_log import EventLog
from jobs.followers import Followers
from jobs.happenings import Happenings
from jobs.intake import Intake
from jobs.lane_states import LaneStates
from jobs.limits import Limits, read_limits
from jobs.listing import Listing
from jobs.metrics.reader import MetricsReader
from jobs.metrics.requests import RequestCounts
from jobs.persistence import PersistenceCheck
from jobs.projects import Projects
from jobs.redis_safety import RedisSafety
from jobs.series import Series
from jobs.settings import Settings
from jobs.store import JobStore
from jobs.tenants import Tenants
from jobs.usage import UsageLedger
from jobs.vault import Vault
from jobs.waiting import WaitingRoom
from jobs.webhooks.delivery_log import DeliveryLog
from jobs.webhooks.endpoints import Endpoints
from jobs.webhooks.events import EventFeed
from jobs.webhooks.replays import Replays
from jobs.webhooks.secrets import ProjectSecrets
from jobs.webhooks.senders import Senders
from jobs.workers import Workers
from jobs.wrong_keys import WrongKeys

EXTENSION = "respool"
LOG_CONNECTIONS = 64
"""Over which all who follow a log read it; a thousand may be told of the same event at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    settings: Settings
    limits: Limits
    store: JobStore
    intake: Intake
    listing: Listing
    tenants: Tenants
    wrong_keys: WrongKeys
    usage: UsageLedger
    series: Series
    endings: Endings
    event_log: EventLog
    followers: Followers
    happenings: Happenings
    sessions: Sessions
    looks: SharedLooks
    waiting: WaitingRoom
    lanes: LaneStates
    projects: Projects
    workers: Workers
    senders: Senders
    vault: Vault
    webhook_endpoints: Endpoints
    webhook_deliveries: DeliveryLog
    webhook_replays: Replays
    webhook_secrets: ProjectSecrets
    events: EventFeed
    files: FileStore | None
    batches: Batches
    batch_lines: Lines
    persistence: PersistenceCheck
    safety: RedisSafety
    metrics: MetricsReader
    request_counts: RequestCounts


def open_services(settings: Settings) -> Services:
    """Connects to nothing yet. Raises SettingsError if the limits file is wrong, or if files cannot be kept."""
    limits = read_limits(settings.limits_file)
    redis = connect(settings.redis_url)
    vault, log = Vault(redis, secret=settings.secret, older=settings.old_secrets), DeliveryLog(redis)
    store = JobStore(
        redis,
        durability=settings.durability,
        max_queued_bytes=settings.max_queued_bytes,
        ageing_seconds=settings.ageing_seconds,
    )
    files = open_file_store(settings, redis)
    event_log = EventLog(connect(settings.redis_url, connections=LOG_CONNECTIONS))
    return Services(
        settings=settings,
        limits=limits,
        store=store,
        intake=Intake(settings, limits, store, files.files if files else None),
        listing=Listing(redis, store),
        tenants=Tenants(redis, secret=settings.secret, older=settings.old_secrets, development_key=settings.api_key),
        wrong_keys=WrongKeys(redis, most=settings.wrong_keys_per_minute),
        usage=UsageLedger(redis),
        series=Series(redis),
        endings=Endings(connect(settings.redis_url)),
        event_log=event_log,
        followers=Followers(connect(settings.redis_url), event_log),
        happenings=Happenings(connect(settings.redis_url)),
        sessions=Sessions(redis, secret=settings.secret, development_key=settings.api_key),
        looks=SharedLooks(),
        waiting=WaitingRoom(redis, limits, ageing_seconds=settings.ageing_seconds),
        lanes=LaneStates(redis, limits),
        projects=Projects(redis),
        workers=Workers(redis),
        senders=Senders(redis),
        vault=vault,
        webhook_endpoints=Endpoints(redis, vault, retention_seconds=settings.retention_seconds),
        webhook_deliveries=log,
        webhook_replays=Replays(redis, log),
        webhook_secrets=ProjectSecrets(redis, vault),
        events=EventFeed(redis, retention_seconds=settings.retention_seconds),
        files=files,
        batches=Batches(redis, durability=settings.durability),
        batch_lines=Lines(redis, store),
        persistence=PersistenceCheck(redis),
        safety=RedisSafety(redis, unsafe=settings.unsafe_redis),
        metrics=MetricsReader(redis, limits, max_queued_bytes=settings.max_queued_bytes),
        request_counts=RequestCounts(redis),
    )


def services() -> Services:
    """Those of the application that answers the present request."""
    return cast(Services, current_app.extensions[EXTENSION])
