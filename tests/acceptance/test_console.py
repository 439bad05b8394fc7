"""The console in a real browser, over the service as its users run it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from respool.demo_receiver import receiving
from tests.fakes.browser import Visitor, running_browser
from tests.fakes.media_files import make_clip
from tests.fakes.up import Up
from tests.fakes.waiting import wait_until

MODEL = "doubao-seed-1-6-251015"
LANE = f"default:{MODEL}"
PAGES = ("/", "/console/jobs", "/console/submit", "/console/webhooks", "/console/files", "/console/projects")
PAGES += ("/console/keys", "/console/jobs?model=nothing", "/console/batches", f"/console/jobs/job_{'0' * 32}")

Come = Callable[..., Visitor]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with running_browser() as found:
        yield found


@pytest.fixture(scope="module")
def up(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = Up(
        data=tmp_path_factory.mktemp("console") / "data",
        arguments=("--workers", "1"),
        environ={"RESPOOL_WEBHOOK_ALLOW": "127.0.0.1/32"},
    )
    try:
        yield started.start()
    finally:
        started.clean_up()


@pytest.fixture(scope="module")
def admin_key(up: Up) -> str:
    made = up.run("keys", "create", "--project", "operators", "--admin")
    return next(word for word in made.stdout.replace('"', " ").split() if word.startswith("rsp_"))


@pytest.fixture
def come(browser: Any, up: Up) -> Iterator[Come]:
    """Somebody who signs in; whatever the browser complained of by the end fails the test."""
    visitors: list[tuple[Any, Visitor]] = []

    def one(key: str | None = None, **options: Any) -> Visitor:
        context = browser.new_context(**options)
        visitor = Visitor(page=context.new_page(), base=up.url)
        visitors.append((context, visitor))
        visitor.sign_in(key or up.key)
        return visitor

    yield one
    for context, visitor in visitors:
        context.close()
        assert (visitor.trouble, visitor.elsewhere) == ([], [])


def submitted(visitor: Visitor, *, prompt: str, fault: str = "", webhook: str = "") -> str:
    """The id of a job that was submitted by the form; its page is open."""
    visitor.open("/console/submit")
    page = visitor.page
    page.get_by_label("Model").select_option(MODEL)
    page.get_by_label("Prompt").fill(prompt)
    page.get_by_text("More", exact=True).click()
    if fault:
        page.get_by_label("Metadata").fill(f"sandbox={fault}")
    if webhook:
        page.get_by_label("Webhook").fill(webhook)
    visitor.press("Submit")
    page.wait_for_url("**/console/jobs/job_*")
    return str(page.url.rpartition("/")[2])


def lines_of(*faults: str) -> bytes:
    """A batch's file, one line for each fault ("": none)."""
    return b"".join(
        json.dumps({
            "custom_id": f"film-{n}", "method": "POST", "url": "/v1/responses",
            "body": {"model": MODEL, "input": "hello", **({"metadata": {"sandbox": fault}} if fault else {})},
        }).encode() + b"\n"
        for n, fault in enumerate(faults)
    )  # fmt: skip


def begun(up: Up) -> str:
    """The id of a new batch."""
    file = up.ask("POST", "/v1/files", files={"file": ("in.jsonl", lines_of("", ""))}, data={"purpose": "batch"}).json()
    body = {"input_file_id": file["id"], "endpoint": "/v1/responses", "completion_window": "24h"}
    return str(up.ask("POST", "/v1/batches", json=body).json()["id"])


def mark(visitor: Visitor) -> None:
    visitor.page.evaluate("window.mark = true")


def was_not_loaded_again(visitor: Visitor) -> bool:
    return bool(visitor.page.evaluate("window.mark === true"))


def test_a_video_from_the_own_machine_goes_from_queued_to_its_streamed_answer_without_a_reload(
    come: Come, up: Up, admin_key: str, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "holiday.mp4")
    headers = {"Authorization": f"Bearer {admin_key}"}
    assert up.ask("POST", f"/v1/lanes/{LANE}/pause", json={}, headers=headers).status_code == 200
    visitor = come()
    visitor.open("/console/submit")
    page = visitor.page
    page.get_by_label("Model").select_option(MODEL)
    page.get_by_label("Prompt").fill("What happens in this film?")
    page.get_by_label("From this computer").set_input_files(clip)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Metadata").fill("sandbox=pace=0.3")
    visitor.press("Submit")
    page.wait_for_url("**/console/jobs/job_*")
    mark(visitor)
    visitor.sees("#job-status", "queued")
    visitor.sees("#job-timeline", "Waits")
    assert page.locator("video").count() == 1
    assert visitor.barriers() == []

    assert up.ask("POST", f"/v1/lanes/{LANE}/resume", json={}, headers=headers).status_code == 200

    visitor.sees("#job-status", "in progress")
    visitor.sees("#live-text", "Sandbox")
    visitor.sees("#job-status", "completed")
    visitor.sees("#answer-text", "2")
    visitor.sees("#job-facts", "tokens")
    assert was_not_loaded_again(visitor)
    assert page.evaluate("document.querySelector('video').videoWidth") > 0


def test_a_job_that_runs_is_cancelled_by_its_button(come: Come, up: Up) -> None:
    visitor = come()
    job = submitted(visitor, prompt="wait", fault="hang")
    visitor.sees("#job-status", "in progress")
    visitor.press("Cancel")
    visitor.sees("#said", "The job is cancelled.")
    visitor.sees("#job-status", "cancelled")
    assert up.ending(job) == "cancelled"


def test_a_job_that_failed_says_why_and_is_retried_by_its_button(come: Come) -> None:
    visitor = come()
    submitted(visitor, prompt="no", fault="status=400")
    mark(visitor)
    visitor.sees("#job-status", "failed")
    visitor.sees("#job-head .note.bad", "400")
    assert was_not_loaded_again(visitor)
    visitor.press("Retry")
    visitor.sees("#said", "The job is queued once more.")
    visitor.sees("#job-timeline", "Attempt 2 ended")


def test_a_webhook_is_replayed_by_its_button_and_comes_once_more(come: Come) -> None:
    with receiving() as receiver:
        visitor = come()
        submitted(visitor, prompt="tell me", webhook=receiver.url)
        mark(visitor)
        visitor.sees("#job-deliveries .status", "delivered")
        assert was_not_loaded_again(visitor)
        assert receiver.wait(seconds=10) is not None
        visitor.press("Replay response.completed to " + receiver.url.rpartition("/")[0])
        visitor.sees("#said", "sent once more")
        visitor.sees("#job-timeline", "Webhook delivered, attempt 2")


def test_a_batch_is_uploaded_goes_to_its_end_and_what_failed_is_sent_again(come: Come, tmp_path: Path) -> None:
    path = tmp_path / "films.jsonl"
    path.write_bytes(lines_of("", "status=400", ""))
    visitor = come()
    visitor.open("/console/batches")
    page = visitor.page
    page.get_by_text("Begin a batch", exact=True).click()
    page.get_by_label("A file from this computer").set_input_files(path)
    visitor.press("Begin")
    page.wait_for_url("**/console/batches/batch_*")
    mark(visitor)
    visitor.sees("#batch-status", "completed")
    visitor.sees("#batch-progress", "3 of 3 lines have ended: 2 answered, 1 failed")
    visitor.sees("#batch-lines tr", "asked to answer 400")
    assert was_not_loaded_again(visitor)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the answers").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 2
    page.locator("#batch-lines a").first.click()
    visitor.sees("#job-facts", "line 1: film-0")
    page.locator("#job-facts a").click()
    visitor.press("Send again what failed")
    visitor.sees("#batch-facts", "Failed lines of")
    visitor.sees("#batch-status", "completed")


def test_the_overview_and_the_list_hear_of_a_job_by_themselves(come: Come, up: Up) -> None:
    overview, listed = come(), come()
    listed.open("/console/jobs")
    mark(overview)
    mark(listed)
    job = up.submit()
    assert up.ending(job) == "completed"
    listed.sees("#jobs tr", job)
    listed.sees(f'#jobs tr:has(a[href$="{job}"])', "completed")
    overview.sees("#lanes", "glm-4-7-251222")
    assert was_not_loaded_again(overview)
    assert was_not_loaded_again(listed)


def test_what_was_focused_and_opened_stays_so_while_the_page_changes(come: Come, up: Up) -> None:
    visitor = come()
    up.ending(up.submit())
    visitor.open("/console/jobs")
    link = visitor.page.locator("#jobs th a").first
    link.focus()
    address = link.get_attribute("href")
    job = up.submit()
    visitor.sees("#jobs tr", job)
    assert visitor.page.evaluate("document.activeElement.getAttribute('href')") == address


def test_media_of_other_hosts_are_asked_for_only_after_a_click(come: Come, up: Up) -> None:
    content = [
        {"type": "input_image", "image_url": "https://pictures.invalid/a.png"},
        {"type": "input_text", "text": "?"},
    ]
    body = {"request": {"model": MODEL, "input": [{"role": "user", "content": content}]}}
    job = up.ask("POST", "/v1/jobs", json=body).json()["id"]
    visitor = come()
    visitor.open(f"/console/jobs/{job}")
    visitor.sees(".held", "https://pictures.invalid")
    assert visitor.elsewhere == []
    visitor.page.get_by_role("link", name="Show it").click()
    visitor.page.locator(".medium img").scroll_into_view_if_needed()
    visitor.page.wait_for_load_state()
    assert visitor.elsewhere == ["https://pictures.invalid/a.png"]
    assert "Content Security Policy" not in json.dumps(visitor.trouble)
    visitor.elsewhere.clear()
    visitor.trouble.clear()  # there is no such host


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_keeps_anybody_out_or_is_wider_than_its_window(
    come: Come, up: Up, admin_key: str, scheme: str, width: int
) -> None:
    job = up.submit()
    up.ending(job)
    visitor = come(admin_key, color_scheme=scheme, viewport={"width": width, "height": 900})
    for path in (*PAGES, f"/console/jobs/{job}", f"/console/batches/{begun(up)}"):
        visitor.open(path)
        assert visitor.barriers() == [], path
        assert not visitor.overflows(), path
    # A browser complains of a page that is not there.
    assert [said for said in visitor.trouble if "404" not in said] == []
    visitor.trouble.clear()


def test_the_keyboard_alone_leads_from_sign_in_to_a_job(come: Come, up: Up) -> None:
    job = up.submit()
    up.ending(job)
    visitor = come()
    visitor.open(f"/console/jobs?id={job}")
    page = visitor.page
    assert page.url.endswith(job)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Delete"


def test_an_end_of_the_session_is_said_where_the_page_was_live(come: Come, up: Up) -> None:
    made = up.run("keys", "create", "--project", "default")
    words = made.stdout.replace('"', " ").replace(",", " ").split()
    key = next(word for word in words if word.startswith("rsp_"))
    key_id = next(
        word
        for word in (made.stdout + made.stderr).replace('"', " ").replace(",", " ").split()
        if word.startswith("key_")
    )
    visitor = come(key)
    up.run("keys", "revoke", key_id)
    visitor.sees("#cut-off", "no longer kept up to date", seconds=40)
    visitor.page.get_by_role("link", name="Load it again").click()
    visitor.page.wait_for_url("**/console/sign-in")


def test_a_page_says_that_the_service_is_gone_and_goes_on_by_itself_when_it_is_back(come: Come, up: Up) -> None:
    visitor = come()
    visitor.page.add_init_script("""
        const Real = window.EventSource;
        window.EventSource = class extends Real {
            constructor(...given) {
                super(...given);
                this.addEventListener("open", () => { document.documentElement.id = "live"; });
            }
        };
    """)
    visitor.open("/console/jobs")
    mark(visitor)
    visitor.sees("#live")
    for process in up.named("api.main:app"):
        with suppress(psutil.NoSuchProcess):
            process.kill()  # one that is told to stop hands its streams on, and nobody notices
    visitor.sees("#connection", "The connection to the service is lost")
    wait_until(lambda: answers(up), seconds=60)
    visitor.sees("#connection", "Connected again", seconds=60)
    job = up.submit()
    visitor.sees("#jobs tr", job)
    assert was_not_loaded_again(visitor)
    visitor.trouble.clear()  # a browser complains of a connection that is cut


def answers(up: Up) -> bool:
    try:
        return up.ask("GET", "/v1/models").status_code == 200
    except OSError:
        return False


def test_a_link_of_another_site_leads_to_the_page_and_keeps_the_session(come: Come, up: Up) -> None:
    visitor = come()
    job = up.submit()
    page = visitor.page
    page.route("http://elsewhere.invalid/", lambda asked: asked.fulfill(
        content_type="text/html", body=f'<a href="{up.url}/console/jobs/{job}">look</a>'))  # fmt: skip
    page.goto("http://elsewhere.invalid/")
    page.get_by_role("link", name="look").click()
    visitor.sees("#job-head", job)
    visitor.open("/")
    visitor.sees("h1", "Overview")
    assert visitor.elsewhere == ["http://elsewhere.invalid/"]
    visitor.elsewhere.clear()


def test_a_tab_that_nobody_looks_at_holds_no_connection(come: Come, up: Up) -> None:
    visitor = come()
    page = visitor.page
    page.add_init_script("""
        window.opened = 0;
        const Real = window.EventSource;
        window.EventSource = class extends Real {
            constructor(...given) { super(...given); window.opened += 1; }
            close() { super.close(); window.opened -= 1; }
        };
        let hidden = false;
        Object.defineProperty(document, "hidden", { get: () => hidden });
        window.look = (away) => { hidden = away; document.dispatchEvent(new Event("visibilitychange")); };
    """)
    visitor.open("/console/jobs")
    assert page.evaluate("window.opened") == 1
    page.evaluate("look(true)")
    assert page.evaluate("window.opened") == 0
    job = up.submit()
    page.evaluate("look(false)")
    assert page.evaluate("window.opened") == 1
    visitor.sees("#jobs tr", job)


def test_without_scripts_pages_are_read_and_forms_work(come: Come) -> None:
    visitor = come(java_script_enabled=False)
    visitor.open("/console/submit")
    page = visitor.page
    visitor.sees(".note", "no file can be uploaded here")
    assert not page.get_by_label("From this computer").is_visible()
    page.get_by_label("Model").select_option(MODEL)
    page.get_by_label("Prompt").fill("hello")
    visitor.press("Submit")
    page.wait_for_url("**/console/jobs/job_*")
    visitor.sees("#said", "The job is accepted.")
    visitor.press("Sign out")
    page.wait_for_url("**/console/sign-in")
