"""The door to how the sandbox behaves from now on: its limits and outages. It needs no key."""

from flask import Blueprint, Response, jsonify

from sandbox.views.door import desk, given_object

control = Blueprint("control", __name__, url_prefix="/sandbox")


@control.get("/limits")
def get_limits() -> Response:
    """How much is let in."""
    return jsonify(desk().limiter.limits.as_json())


@control.put("/limits")
def set_limits() -> Response:
    """Set the limits that are named, and leave the others; all of them are answered."""
    return jsonify(desk().limiter.change(given_object()).as_json())


@control.get("/outage")
def list_outages() -> Response:
    """The outages that hold."""
    return jsonify(desk().outages.seen())


@control.put("/outage")
def begin_outage() -> Response:
    """Let calls go wrong from now on; all outages that hold are answered."""
    desk().outages.begin(given_object())
    return jsonify(desk().outages.seen())


@control.delete("/outage")
def end_outages() -> Response:
    """Let calls go well again."""
    desk().outages.end()
    return Response(status=204)
