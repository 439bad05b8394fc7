import pytest

from tests.unit.api.console.conftest import ORIGIN, Come

FORMS = (
    "/console/sign-in",
    "/console/sign-out",
    "/console/submit",
    "/console/files",
    "/console/webhooks",
    "/console/deliveries/replay",
    f"/console/jobs/job_{'0' * 32}/cancel",
    f"/console/jobs/job_{'0' * 32}/retry",
    f"/console/jobs/job_{'0' * 32}/delete",
    f"/console/files/file-{'0' * 32}/delete",
    f"/console/deliveries/dlv_{'0' * 32}/replay",
    f"/console/webhooks/we_{'0' * 32}/delete",
    "/console/batches",
    f"/console/batches/batch_{'0' * 32}/cancel",
    f"/console/batches/batch_{'0' * 32}/retry",
    "/console/projects",
    "/console/keys",
    "/console/keys/key_x/revoke",
    "/console/lanes/default:m/pause",
    "/console/lanes/default:m/resume",
)


def test_every_form_is_among_those_that_are_tried(come: Come) -> None:
    routes = come().client.application.url_map.iter_rules()
    own = [rule for rule in routes if rule.endpoint.startswith("console.") and "POST" in (rule.methods or ())]
    assert len(own) == len(FORMS)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_refused(path: str, headers: dict[str, str], come: Come) -> None:
    person = come(role="admin")
    answer = person.client.post(path, data={"csrf_token": person.token("/")}, headers=headers)
    assert answer.status_code == 403
    assert "does not come from a page of this console" in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_the_sessions_token_is_refused(path: str, come: Come) -> None:
    person, other = come(role="admin"), come("bob", role="admin")
    for token in ("", "x", other.token("/")):
        answer = person.client.post(path, data={"csrf_token": token}, headers={"Origin": ORIGIN})
        assert (answer.status_code, "from an earlier session" in answer.text) == (403, True)


def test_the_token_may_come_in_a_header(come: Come) -> None:
    person = come()
    headers = {"Origin": ORIGIN, "X-CSRF-Token": person.token("/")}
    assert person.client.post("/console/deliveries/replay", headers=headers).status_code == 303


def test_a_public_address_of_the_service_is_its_own(make_app, tenants) -> None:  # type: ignore[no-untyped-def]
    client = make_app(public_url="https://jobs.example").test_client()
    token = client.get("/console/sign-in").text.partition('data-token="')[2].partition('"')[0]
    text, _ = tenants.create(project="alice", role="member")
    form = {"csrf_token": token, "key": text}
    assert client.post("/console/sign-in", data=form, headers={"Origin": "https://other.example"}).status_code == 403
    assert client.post("/console/sign-in", data=form, headers={"Origin": "https://jobs.example"}).status_code == 303
