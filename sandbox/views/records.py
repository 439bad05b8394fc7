"""The door to what calls came. It needs no key."""

from flask import Blueprint, Response, jsonify, request

from sandbox.views.door import desk

records = Blueprint("records", __name__, url_prefix="/sandbox")


@records.get("/requests")
def list_requests() -> Response:
    """The latest calls, oldest first; `?limit=N` for the last N."""
    return jsonify(desk().log.seen(limit=request.args.get("limit", type=int)))


@records.delete("/requests")
def forget_requests() -> Response:
    """Forget the calls so far."""
    desk().forget()
    return Response(status=204)


@records.get("/keys")
def list_keys() -> Response:
    """How many calls came with each Idempotency-Key; `?at_least=N` for those that came N times or more."""
    return jsonify(desk().log.keys.at_least(request.args.get("at_least", 1, type=int)))
