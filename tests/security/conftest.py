"""The callers of the API's own tests."""

from tests.unit.api.conftest import admin, alice, app, bench, bob, make_app, nobody, office, tenants
from tests.unit.api.console.conftest import come

__all__ = ["admin", "alice", "app", "bench", "bob", "come", "make_app", "nobody", "office", "tenants"]
