import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from jobs.webhooks.secrets import new_secret
from tests.fakes.sdks import GENERATIONS, run_sdk
from worker.webhooks.signing import signed_headers

EVENT_ID = "evt_" + "0123456789abcdef" * 2 + "01"
OURS = {
    "job_id": "job_1",
    "project": "film",
    "model": "m",
    "metadata": {"scene": "ä€😀 \\u00e4"},
    "error": None,
    "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
}
EVENT = {
    "object": "event",
    "id": EVENT_ID,
    "type": "response.completed",
    "created_at": 1_700_000_000,
    "data": {"id": "resp_1", "respool": OURS, "response": {"id": "resp_1", "status": "completed", "output": []}},
}
BODY = json.dumps(EVENT, ensure_ascii=False).encode()
OLD, NEW = new_secret(), new_secret()
MINUTES_AGO = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A delivery as it is received; `secret` is the receiver's."""

    secret: str
    headers: dict[str, str]
    body: bytes = BODY


def signed(*secrets: str, age: int = 0) -> dict[str, str]:
    return signed_headers(EVENT_ID, BODY, secrets=secrets, timestamp=int(time.time()) - age)


def deliveries() -> dict[str, Sent]:
    """Signed now, since whoever verifies looks at the clock, and takes five minutes either way."""
    fresh = signed(OLD)
    return {
        "first attempt": Sent(secret=OLD, headers=signed(OLD, age=200)),
        "retried minutes later": Sent(secret=OLD, headers=fresh),
        "the first attempt, minutes later": Sent(secret=OLD, headers=signed(OLD, age=MINUTES_AGO)),
        "while rotating, old secret": Sent(secret=OLD, headers=signed(NEW, OLD)),
        "while rotating, new secret": Sent(secret=NEW, headers=signed(NEW, OLD)),
        "after rotating, old secret": Sent(secret=OLD, headers=signed(NEW)),
        "after rotating, new secret": Sent(secret=NEW, headers=signed(NEW)),
        "another id": Sent(secret=OLD, headers=fresh | {"webhook-id": EVENT_ID + "0"}),
        "another time": Sent(
            secret=OLD, headers=fresh | {"webhook-timestamp": str(int(fresh["webhook-timestamp"]) + 1)}
        ),
        "a flipped byte": Sent(
            secret=OLD, headers=fresh, body=BODY.replace(b'"total_tokens": 3', b'"total_tokens": 4')
        ),
        "a space more": Sent(secret=OLD, headers=fresh, body=BODY + b" "),
    }


VERIFIES = {
    "first attempt": True,
    "retried minutes later": True,
    "the first attempt, minutes later": False,
    "while rotating, old secret": True,
    "while rotating, new secret": True,
    "after rotating, old secret": False,
    "after rotating, new secret": True,
    "another id": False,
    "another time": False,
    "a flipped byte": False,
    "a space more": False,
}


def test_the_signature_is_hmac_sha256_of_id_time_and_body() -> None:
    key = bytes(range(32))
    secret = "whsec_" + base64.b64encode(key).decode()
    digest = hmac.new(key, f"{EVENT_ID}.1700000000.".encode() + BODY, hashlib.sha256).digest()
    assert signed_headers(EVENT_ID, BODY, secrets=[secret], timestamp=1_700_000_000) == {
        "webhook-id": EVENT_ID,
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def test_each_secret_signs_in_the_order_they_are_given() -> None:
    alone = [
        signed_headers(EVENT_ID, BODY, secrets=[secret], timestamp=1)["webhook-signature"] for secret in (NEW, OLD)
    ]
    both = signed_headers(EVENT_ID, BODY, secrets=[NEW, OLD], timestamp=1)["webhook-signature"]
    assert both.split(" ") == alone


def test_the_example_that_the_reference_libraries_test_with_gets_their_signature() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", body, secrets=[secret], timestamp=1614265330)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("secrets", "why"),
    [
        ([], "^there is no secret to sign with$"),
        ([""], r"secret|whsec_"),
        (["whsec_short"], r"secret|whsec_"),
        ([NEW, "plain"], r"secret|whsec_"),
    ],
)
def test_nothing_is_sent_unsigned(secrets: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        signed_headers(EVENT_ID, BODY, secrets=secrets, timestamp=1)
    assert NEW not in str(caught.value)


@pytest.mark.parametrize("case", VERIFIES)
def test_standardwebhooks_verifies_what_is_genuine_and_fresh_alone(case: str) -> None:
    sent = deliveries()[case]
    verifier = Webhook(sent.secret)
    if VERIFIES[case]:
        assert verifier.verify(sent.body, sent.headers) == EVENT
    else:
        with pytest.raises(WebhookVerificationError):
            verifier.verify(sent.body, sent.headers)


UNWRAP = """
import json, sys
import openai

def unwrapped(case):
    client = openai.OpenAI(api_key="none", webhook_secret=case["secret"])
    try:
        event = client.webhooks.unwrap(case["body"].encode(), case["headers"])
    except openai.InvalidWebhookSignatureError:
        return None
    return {"class": type(event).__name__, "id": event.id, "type": event.type, "created_at": event.created_at,
            "response": event.data.id, "respool": event.data.respool, "whole": event.data.response}

cases = json.loads(sys.argv[1])
print(json.dumps({"version": openai.__version__, "found": {name: unwrapped(case) for name, case in cases.items()}}))
"""


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_openai_sdk_unwraps_what_is_genuine_and_fresh_alone(generation: int) -> None:
    cases: dict[str, Any] = {
        name: {"secret": sent.secret, "headers": sent.headers, "body": sent.body.decode()}
        for name, sent in deliveries().items()
    }
    answer = json.loads(run_sdk(generation, UNWRAP, json.dumps(cases)))
    assert answer["version"].startswith(f"{generation}.")
    event = {
        "class": "ResponseCompletedWebhookEvent",
        "id": EVENT_ID,
        "type": "response.completed",
        "created_at": 1_700_000_000,
        "response": "resp_1",
        "respool": OURS,
        "whole": {"id": "resp_1", "status": "completed", "output": []},
    }
    assert answer["found"] == {name: event if genuine else None for name, genuine in VERIFIES.items()}
