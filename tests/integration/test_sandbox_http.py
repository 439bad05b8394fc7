"""The sandbox as the Procfile runs it, under gunicorn with gevent, asked by the official SDK and by hand."""

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import requests

from tests.fakes.media_files import make_clip
from tests.fakes.sandbox_server import begin_call
from tests.fakes.waiting import wait_until

KEY = {"Authorization": "Bearer any"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a sandbox in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "--no-control-socket", "--graceful-timeout", "1"]
        log = tmp_path_factory.mktemp("sandbox") / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "-b", f"fd://{listener.fileno()}", "sandbox.main:app"],
                pass_fds=[listener.fileno()],
                env={**os.environ, "SANDBOX_KEPT_REQUESTS": "20000"},
                stdout=output,
                stderr=output,
            )
    try:
        wait_until(lambda: is_up(address))
        yield address
    finally:
        process.terminate()
        process.wait(30)
    assert "Traceback" not in log.read_text()


def is_up(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def post(base: str, fault: str, *, timeout: float = 30, key: str = "k") -> requests.Response:
    headers = {**KEY, "x-sandbox-fault": fault, "Idempotency-Key": key}
    body = {"model": "m", "input": "hello"}
    return requests.post(f"{base}/v1/responses", json=body, headers=headers, timeout=timeout)


def calls_of(base: str, key: str) -> list[dict[str, Any]]:
    records = requests.get(f"{base}/sandbox/requests", timeout=30).json()["data"]
    return [call for call in records if call["idempotency_key"] == key]


def in_flight(base: str) -> int:
    return int(requests.get(f"{base}/sandbox/requests?limit=0", timeout=30).json()["in_flight"])


def put(base: str, name: str, values: dict[str, Any]) -> None:
    requests.put(f"{base}/sandbox/{name}", json=values, timeout=30).raise_for_status()


def client(base: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{base}/v1", api_key="any", max_retries=0)


def clip_uri(folder: Path) -> str:
    data = make_clip(folder / "clip.mp4").read_bytes()
    return f"data:video/mp4;base64,{base64.b64encode(data).decode()}"


def test_the_sdk_gets_an_answer_about_a_clip(base: str, tmp_path: Path) -> None:
    part = {"type": "input_video", "video_url": clip_uri(tmp_path), "fps": 1}
    given: Any = [{"role": "user", "content": [part]}]
    response = client(base).responses.create(model="m", input=given)
    assert "of 6 s, 64x48 pixels, 10 frames a second, 60 frames" in response.output_text
    assert response.usage is not None
    assert response.usage.input_tokens == 6 * 64 + 3


def test_the_sdk_reads_a_stream_to_its_end(base: str) -> None:
    with client(base).responses.stream(model="m", input="hello", reasoning={"effort": "high"}) as stream:
        told = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert final.status == "completed"
    assert told == final.output_text != ""


def test_the_sdk_sees_a_function_call_and_an_incomplete_answer(base: str) -> None:
    tools: Any = [{"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}]
    called = client(base).responses.create(model="m", input="How is the weather?", tools=tools)
    assert [item.type for item in called.output] == ["function_call"]
    cut = client(base).responses.create(model="m", input="hello", max_output_tokens=2)
    assert (cut.status, cut.usage and cut.usage.output_tokens) == ("incomplete", 2)


def test_the_sdk_raises_for_errors_with_code_and_request_id(base: str) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        client(base).responses.create(model="m", input="x", metadata={"sandbox": "status=429;code=ServerOverloaded"})
    assert caught.value.code == "ServerOverloaded"
    assert (caught.value.request_id or "").startswith("req_")


def test_what_is_no_picture_is_told_and_not_thrown(base: str) -> None:
    part = {"type": "input_image", "image_url": "data:image/png;base64,aGVsbG8="}
    given: Any = [{"role": "user", "content": [part]}]
    response = client(base).responses.create(model="m", input=given)
    assert "could not be seen: it cannot be decoded as a medium" in response.output_text


def test_hundreds_of_calls_wait_side_by_side_in_one_process(base: str) -> None:
    callers = [begin_call(base, fault="hang", key="side") for _ in range(300)]
    wait_until(lambda: len(calls_of(base, "side")) == 300)
    assert all(call["ended_at"] is None for call in calls_of(base, "side"))
    for caller in callers:
        caller.close()
    wait_until(lambda: all(call["client_left"] for call in calls_of(base, "side")))


@pytest.mark.parametrize("fault", ["hang", "delay=3000", "stall", "drip_headers=3000", "pace=3000;stream=always"])
def test_a_caller_that_leaves_is_noticed(base: str, fault: str) -> None:
    with pytest.raises(requests.RequestException):
        post(base, fault, timeout=0.3, key=f"left-{fault}")
    wait_until(lambda: calls_of(base, f"left-{fault}")[0]["ended_at"] is not None)
    assert calls_of(base, f"left-{fault}")[0]["client_left"]


@pytest.mark.parametrize("fault", ["cut=before", "cut=headers", "cut=middle"])
def test_a_cut_connection_is_really_cut(base: str, fault: str) -> None:
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(base, fault)


@pytest.mark.parametrize("fault", ["drip=0.2", "drip_headers=0.2", "huge=1000000"])
def test_a_slow_or_huge_answer_comes_whole(base: str, fault: str) -> None:
    assert post(base, fault).json()["status"] == "completed"


def test_the_sdk_polls_cancels_and_deletes_a_background_response(base: str) -> None:
    responses = client(base).responses
    begun = responses.create(model="m", input="hello", background=True)
    assert begun.status == "queued"
    wait_until(lambda: responses.retrieve(begun.id).status == "completed")
    assert responses.retrieve(begun.id).output_text.startswith("Sandbox: no language model")
    responses.delete(begun.id)
    with pytest.raises(openai.NotFoundError, match="not found"):
        responses.retrieve(begun.id)
    hanging = responses.create(model="m", input="hello", background=True, metadata={"sandbox": "hang"})
    wait_until(lambda: responses.retrieve(hanging.id).status == "in_progress")
    assert responses.cancel(hanging.id).status == "cancelled"


def test_a_clip_is_looked_into_in_the_background(base: str, tmp_path: Path) -> None:
    responses = client(base).responses
    part = {"type": "input_video", "video_url": clip_uri(tmp_path), "fps": 1}
    given: Any = [{"role": "user", "content": [part]}]
    begun = responses.create(model="m", input=given, background=True)
    wait_until(lambda: responses.retrieve(begun.id).status == "completed")
    assert "60 frames" in responses.retrieve(begun.id).output_text


def test_hundreds_of_responses_run_in_the_background_side_by_side(base: str) -> None:
    responses = client(base).responses
    begun = [responses.create(model="m", input="x", background=True, metadata={"sandbox": "hang"}) for _ in range(300)]
    assert in_flight(base) == 300
    assert {responses.cancel(response.id).status for response in begun} == {"cancelled"}
    wait_until(lambda: in_flight(base) == 0)


def test_limits_and_outages_are_set_while_it_runs(base: str) -> None:
    put(base, "limits", {"requests_per_minute": 3, "window_seconds": 0.2, "limiter": "fixed"})
    assert 429 in [post(base, "").status_code for _ in range(5)]
    put(base, "limits", {"requests_per_minute": None, "window_seconds": None, "limiter": None})
    put(base, "outage", {"status": 503, "api_key": "other"})
    assert post(base, "").status_code == 200
    put(base, "outage", {"status": 503})
    assert post(base, "").status_code == 503
    requests.delete(f"{base}/sandbox/outage", timeout=30)
    assert post(base, "").status_code == 200
