"""What the views work with, made once for an application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from jobs.connection import connect
from jobs.endings import Endings
from jobs.listing import Listing
from jobs.persistence import PersistenceCheck
from jobs.settings import Settings
from jobs.store import JobStore
from jobs.tenants import Tenants
from jobs.usage import UsageLedger
from jobs.waiting import WaitingReasons
from jobs.workers import Workers

EXTENSION = "respool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    settings: Settings
    store: JobStore
    listing: Listing
    tenants: Tenants
    usage: UsageLedger
    endings: Endings
    waiting: WaitingReasons
    workers: Workers
    persistence: PersistenceCheck


def open_services(settings: Settings) -> Services:
    """Connects to nothing yet."""
    redis = connect(settings.redis_url)
    store = JobStore(redis, durability=settings.durability, max_queued_bytes=settings.max_queued_bytes)
    return Services(
        settings=settings,
        store=store,
        listing=Listing(redis, store),
        tenants=Tenants(redis, secret=settings.secret, development_key=settings.api_key),
        usage=UsageLedger(redis),
        endings=Endings(connect(settings.redis_url)),
        waiting=WaitingReasons(redis),
        workers=Workers(redis),
        persistence=PersistenceCheck(redis),
    )


def services() -> Services:
    """Those of the application that answers the present request."""
    return cast(Services, current_app.extensions[EXTENSION])
