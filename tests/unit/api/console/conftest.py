"""People in front of the console: signed in, with what their browser would send along."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs.tenants import ApiKey, Tenants

ORIGIN = "http://localhost"


@dataclass(kw_only=True)
class Person:
    """Somebody at a browser; `key` is what they sign in with."""

    client: FlaskClient
    text: str
    key: ApiKey

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def token(self, path: str = "/console/sign-in") -> str:
        """What the forms of a page bring along."""
        found = re.search(r'data-token="([^"]+)"', self.client.get(path, follow_redirects=True).text)
        assert found is not None
        return found[1]

    def post(self, path: str, form: dict[str, Any] | None = None, *, origin: str | None = ORIGIN) -> TestResponse:
        """As a form of the console does."""
        headers = {"Origin": origin} if origin else {}
        return self.client.post(path, data={"csrf_token": self.token(), **(form or {})}, headers=headers)

    def sign_in(self, text: str | None = None, **form: str) -> TestResponse:
        return self.post("/console/sign-in", {"key": text or self.text, **form})


Come = Callable[..., Person]


@pytest.fixture
def come(app: Flask, tenants: Tenants) -> Come:
    """A person of a project, signed in."""

    def one(project: str = "alice", role: str = "member", *, signed_in: bool = True) -> Person:
        text, key = tenants.create(project=project, role=role)
        person = Person(client=app.test_client(), text=text, key=key)
        if signed_in:
            assert person.sign_in().status_code == 303
        return person

    return one
