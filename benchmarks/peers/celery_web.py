"""The web layer that people put before Celery: a view that checks that there is an object and queues it."""

import importlib
import os
import uuid

from flask import Flask, Response, jsonify, request

peer = importlib.import_module(os.environ["BENCH_PEER"])
app = Flask("peer")


@app.post("/jobs")
def create() -> Response:
    body = request.get_json()
    if not isinstance(body, dict) or "model" not in body or "input" not in body:
        return Response(status=400)
    job_id = uuid.uuid4().hex
    peer.send(job_id, request.get_data(as_text=True))
    answer = jsonify(id=job_id, status="queued")
    answer.status_code = 202
    return answer
