"""The upstream accounts as this process calls them: a client of its own for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jobs.accounts import OpenAccount
from jobs.settings import Settings
from jobs.tracing import UNTRACED, Tracer
from worker.file_inputs import unfilled
from worker.responses_client import Fill, ResponsesClient
from worker.session import open_session


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`background`: the upstream makes background responses, which can be asked for by their id."""

    client: ResponsesClient
    background: bool = False


Endpoints = Mapping[str, Endpoint]
"""By the account's name."""


def open_endpoints(
    accounts: Iterable[OpenAccount], settings: Settings, *, fill: Fill = unfilled, tracer: Tracer = UNTRACED
) -> Endpoints:
    """Nothing is connected before the first call. Each account has connections for all of the process's slots."""
    return {
        account.name: Endpoint(client=_client(account, settings, fill, tracer), background=account.background)
        for account in accounts
    }


def _client(account: OpenAccount, settings: Settings, fill: Fill, tracer: Tracer) -> ResponsesClient:
    session = open_session(connections=settings.slots, proxy=settings.upstream_proxy, ca_file=settings.upstream_ca_file)
    return ResponsesClient(
        session,
        url=account.url,
        api_key=account.key,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        read_timeout_seconds=settings.read_timeout_seconds,
        max_bytes=settings.upstream_max_bytes,
        fill=fill,
        tracer=tracer,
    )
