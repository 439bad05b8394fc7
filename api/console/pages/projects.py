"""The pages for admins: projects with their limits and budgets, and keys."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from api import project_view
from api.auth import admins_only, caller
from api.console.notes import note
from api.services import services
from jobs.projects import FIELDS
from jobs.tenants import check_name
from schemas.error import flatten
from schemas.project import ProjectChangeSchema

log = logging.getLogger(__name__)


def register(views: Blueprint) -> None:
    @views.get("/console/projects")
    @admins_only
    def projects() -> str:
        return _projects()

    @views.post("/console/projects")
    @admins_only
    def change_project() -> AnyResponse | tuple[str, int]:
        name = request.form.get("project", "").strip()
        try:
            check_name(name)
            values = ProjectChangeSchema().load(_limits())
            services().projects.change(name, values)
        except (ValidationError, ValueError) as error:
            return _projects(mistakes=_mistakes(error), typed=request.form.to_dict()), 400
        log.info("project %s set to %s by %s", name, values, caller().id)
        note(f"The limits of {name} are set.")
        return redirect(url_for("console.projects"), 303)

    @views.get("/console/keys")
    @admins_only
    def keys() -> str:
        return _keys()

    @views.post("/console/keys")
    @admins_only
    def create_key() -> str | tuple[str, int]:
        """The answer is the page itself: it shows the key, which no other page does."""
        name, role = request.form.get("project", "").strip(), request.form.get("role", "member")
        try:
            text, key = services().tenants.create(project=name, role="admin" if role == "admin" else "member")
        except ValueError as error:
            return _keys(mistakes=[("project", str(error))]), 400
        log.info("key %s of project %s made by %s", key.id, key.project, caller().id)
        return _keys(made=key.id, text=text)

    @views.post("/console/keys/<key_id>/revoke")
    @admins_only
    def revoke_key(key_id: str) -> AnyResponse:
        services().tenants.revoke(key_id)
        log.info("key %s revoked by %s", key_id, caller().id)
        note(f"{key_id} is revoked.")
        return redirect(url_for("console.keys"), 303)


def _limits() -> dict[str, Any]:
    """The limits as typed; an empty field is no limit. Raises ValueError for what is no number."""
    values: dict[str, Any] = {}
    for name in FIELDS:
        text = request.form.get(name, "").strip().replace(",", "")
        try:
            number = float(text) if text else None
        except ValueError as error:
            raise ValueError(f"{name}: must be a number, got {text[:40]!r}") from error
        whole = number is not None and number.is_integer() and name != "weight" and not name.startswith("cost_")
        values[name] = int(number) if whole and number is not None else number
    return values


def _mistakes(error: ValidationError | ValueError) -> list[tuple[str, str]]:
    if isinstance(error, ValidationError):
        return [(mistake.path, mistake.message) for mistake in flatten(error.messages)]
    return [("", str(error))]


def _projects(*, mistakes: list[tuple[str, str]] | None = None, typed: dict[str, str] | None = None) -> str:
    currency = services().limits.currency
    found = [project_view.dump(project, currency=currency) for project in services().projects.all()]
    limits = [(name, asdict(field) if hasattr(field, "__dataclass_fields__") else {}) for name, field in FIELDS.items()]
    return render_template(
        "console/projects.html", projects=found, limits=limits, mistakes=mistakes or [], typed=typed or {}
    )


def _keys(*, mistakes: list[tuple[str, str]] | None = None, made: str | None = None, text: str | None = None) -> str:
    found = services().tenants.list()
    return render_template("console/keys.html", keys=found, mistakes=mistakes or [], made=made, text=text)
