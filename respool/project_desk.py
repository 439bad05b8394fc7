"""Projects as they are looked at and changed: on Redis itself, or through the API of a service elsewhere.

Both speak of projects as the API does (`api.project_view`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from api import project_view
from jobs.projects import Projects, check_change
from respool.client import Api, path_of
from respool.store_client import limits_of, opened_store
from respool.target import find_api, over_http

Project = dict[str, Any]


class ProjectDesk(Protocol):
    """Raises Refused, Unreachable; `change` also ValueError."""

    def all(self) -> list[Project]: ...

    def change(self, name: str, values: Mapping[str, int | float | None]) -> Project: ...


@contextmanager
def project_desk(*, url: str | None, folder: Path | None) -> Iterator[ProjectDesk]:
    if over_http(url=url, folder=folder):
        yield ApiProjects(Api(find_api(url=url, folder=folder)))
        return
    with opened_store(folder) as (client, store):
        yield StoredProjects(Projects(client), currency=limits_of(store).currency)


class StoredProjects:
    """Needs no admin key."""

    def __init__(self, projects: Projects, *, currency: str) -> None:
        self._projects = projects
        self._currency = currency

    def all(self) -> list[Project]:
        return [project_view.dump(project, currency=self._currency) for project in self._projects.all()]

    def change(self, name: str, values: Mapping[str, int | float | None]) -> Project:
        return project_view.dump(self._projects.change(name, check_change(values)), currency=self._currency)


class ApiProjects:
    """Shows the key's own project, or all for an admin key, without which nothing can be changed."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def all(self) -> list[Project]:
        return self._api.entries("/v1/projects")

    def change(self, name: str, values: Mapping[str, int | float | None]) -> Project:
        return self._api.patch(path_of("projects", name), values)
