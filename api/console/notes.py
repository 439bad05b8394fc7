"""What was done, said on the page that follows: a signed cookie that the next page takes away."""

from __future__ import annotations

from flask import Response, g, request

from api.services import services

COOKIE = "respool_note"
LIFE_SECONDS = 60


def note(text: str) -> None:
    """Has the next page say it."""
    g.noted = text


def noted() -> str | None:
    """What the present page is to say."""
    sealed = request.cookies.get(COOKIE)
    if "api_key" not in g:  # nobody is signed in, or the store is away
        return None
    text = services().sessions.open_text(sealed, life_seconds=LIFE_SECONDS) if sealed else None
    if text:
        g.told = True
    return text


def hand_over(answer: Response) -> Response:
    """After every request of the console."""
    if "noted" in g:
        sealed = services().sessions.seal_text(g.noted)
        answer.set_cookie(COOKIE, sealed, max_age=LIFE_SECONDS, httponly=True, samesite="Strict", path="/")
    elif "told" in g:
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return answer
