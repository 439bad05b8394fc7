"""What the tests of the API share: the application on a real store, and callers with keys of their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from werkzeug.test import TestResponse

from api.app import create_app
from api.services import EXTENSION, Services
from jobs.settings import Settings
from jobs.tenants import Tenants
from tests.factories import MODEL
from tests.fakes.bench import Bench, running_bench
from tests.fakes.post_office import PostOffice

# A busy machine is no mistake of the code, and the store that the examples share is meant to be shared.
settings.register_profile(
    "api", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)

AppMaker = Callable[..., Flask]


@dataclass(slots=True)
class Caller:
    """Somebody with an API key (or none)."""

    client: FlaskClient
    key: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **parts: Any) -> TestResponse:
        own = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return self.client.open(path, method=method, headers=own | self.headers | (headers or {}), **parts)

    def get(self, path: str, **parts: Any) -> TestResponse:
        return self.ask("GET", path, **parts)

    def post(self, path: str, **parts: Any) -> TestResponse:
        return self.ask("POST", path, **parts)

    def delete(self, path: str, **parts: Any) -> TestResponse:
        return self.ask("DELETE", path, **parts)

    def submit(self, *, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
        return self.post("/v1/jobs", json=job_body(**changes), headers=headers)

    def job(self, **changes: Any) -> dict[str, Any]:
        """A new job as the answer shows it."""
        answer = self.submit(**changes)
        assert answer.status_code == 202, answer.text
        return answer.json


def job_body(*, request: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {"request": {"model": MODEL, "input": "hello", **(request or {})}, **changes}


def error_of(answer: TestResponse) -> dict[str, Any]:
    """The error object of an answer, of the shape that every refusal has."""
    assert answer.mimetype == "application/json"
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    error: dict[str, Any] = answer.json["error"]
    return error


@pytest.fixture
def make_app(redis_url: str) -> Iterator[AppMaker]:
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        made.append(create_app(Settings(redis_url=redis_url, **changes)))
        return made[-1]

    yield make
    for app in made:
        services: Services = app.extensions[EXTENSION]
        services.endings.close()
        services.followers.close()
        services.happenings.close()
        services.store._client.client_kill_filter(_type="pubsub")  # what listens for an app that is over ends with it
        services.store._client.close()


@pytest.fixture
def app(make_app: AppMaker) -> Flask:
    return make_app()


@pytest.fixture
def tenants(store_client: redis.Redis) -> Tenants:
    return Tenants(store_client, secret="")


@pytest.fixture
def alice(app: Flask, tenants: Tenants) -> Caller:
    return Caller(app.test_client(), tenants.create(project="alice", role="member")[0])


@pytest.fixture
def bob(app: Flask, tenants: Tenants) -> Caller:
    return Caller(app.test_client(), tenants.create(project="bob", role="member")[0])


@pytest.fixture
def admin(app: Flask, tenants: Tenants) -> Caller:
    return Caller(app.test_client(), tenants.create(project="operators", role="admin")[0])


@pytest.fixture
def nobody(app: Flask) -> Caller:
    return Caller(app.test_client(), "")


@pytest.fixture
def bench(store_client: redis.Redis) -> Iterator[Bench]:
    with running_bench(store_client) as found:
        yield found


@pytest.fixture
def office(bench: Bench) -> PostOffice:
    return PostOffice(bench)
