"""The OpenAPI document: made from the schemas, with our own kinds of fields told to apispec."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, TypeVar, cast

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask_smorest import Api, Blueprint

from api import field_kinds
from api.body import StrictParser
from schemas.error import ErrorSchema

View = TypeVar("View", bound=Callable[..., Any])


class StrictBlueprint(Blueprint):
    """Reads bodies with our own JSON reader and answers mistakes with 400."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: Any, **told: Any) -> Callable[[View], View]:
        """As flask-smorest's; a schema is made once, and not for each request."""
        made = schema() if isinstance(schema, type) else schema
        return cast(Callable[[View], View], super().arguments(made, **told))

    @staticmethod
    def doc(*, parameters: Iterable[dict[str, Any]] = (), **told: Any) -> Callable[[View], View]:
        """As flask-smorest's, but `parameters` stand beside those that the view takes, not in their place."""
        documented = Blueprint.doc(**told)

        def decorate(view: View) -> View:
            wrapper = documented(view)
            if given := list(parameters):
                wrapper._apidoc.setdefault("arguments", {}).setdefault("parameters", []).extend(deepcopy(given))
            return cast(View, wrapper)

        return decorate


class DescribedApi(Api):
    """flask-smorest without error handlers of its own: api/errors.py answers."""

    ERROR_SCHEMA = ErrorSchema

    def _register_error_handlers(self) -> None:
        """None."""


CONFIG = {
    "API_TITLE": "respool",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
}


def describe(app: Flask, blueprints: Iterable[Blueprint]) -> None:
    """Registers the blueprints and serves /openapi.json for them."""
    app.config.update(CONFIG)
    plugin = MarshmallowPlugin(schema_name_resolver=field_kinds.name_of)
    api = DescribedApi(
        spec_kwargs={
            "marshmallow_plugin": plugin,
            "info": {"description": "Durable background jobs for any Responses endpoint."},
            "security": [{"apiKey": []}],
        }
    )
    api.init_app(app)
    assert plugin.converter is not None  # nosec B101  # made by init_app
    plugin.converter.add_attribute_function(field_kinds.describe)
    api.spec.components.security_scheme("apiKey", {"type": "http", "scheme": "bearer"})
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
