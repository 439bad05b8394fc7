"""The way to one endpoint: what requests would find out anew for every call is found out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Retry, Timeout

from worker.file_body import FileBody


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """`target` is what a request's first line names: a path, or to a proxy of plain HTTP the whole URL."""

    pool: HTTPConnectionPool
    target: str
    headers: Mapping[str, str]
    retries: Retry


class Wire:
    """Calls below one URL, over the connections of a session and as it would make them.

    No redirect is followed and no cookie kept.
    """

    def __init__(self, session: requests.Session, *, url: str, headers: Mapping[str, str]) -> None:
        self._session = session
        self._url = url
        self._headers = headers

    def ask(
        self,
        method: str,
        below: str = "",
        *,
        headers: Mapping[str, str],
        body: bytes | FileBody | None,
        connect_seconds: float,
        read_seconds: float,
    ) -> BaseHTTPResponse:
        """The answer, once its head has come; whoever asked closes it. `below` is added to the URL.

        Raises requests.RequestException, urllib3.exceptions.HTTPError, OSError and ValueError.
        """
        way = self._way
        length = {} if body is None else {"Content-Length": str(len(body))}
        return way.pool.urlopen(
            method,
            way.target + below,
            body=body,
            headers={**way.headers, **headers, **length},
            timeout=Timeout(connect=connect_seconds, read=read_seconds),
            retries=way.retries,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )

    @cached_property
    def _way(self) -> _Way:
        prepared = self._session.prepare_request(requests.Request("GET", self._url, headers=self._headers))
        adapter = cast(HTTPAdapter, self._session.get_adapter(self._url))
        proxies = self._session.proxies
        return _Way(
            pool=cast(
                HTTPConnectionPool, adapter.get_connection_with_tls_context(prepared, verify=True, proxies=proxies)
            ),
            target=adapter.request_url(prepared, proxies),
            headers=dict(prepared.headers),
            retries=adapter.max_retries,
        )


def leave(answer: BaseHTTPResponse) -> None:
    """Gives the connection back; one on which a part of the answer is still to come is closed before."""
    answer.close()
    answer.release_conn()
