"""The media of a request: each is brought here, looked into and let go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from gevent import get_hub
from gevent.monkey import is_module_patched

from sandbox.document import look_into_document
from sandbox.errors import Refused, Unseen
from sandbox.facts import DocumentFacts, Facts, ImageFacts, SoundFacts, VideoFacts
from sandbox.fetch import Fetched, fetched
from sandbox.image import look_into_image
from sandbox.prompt import MediaPart
from sandbox.settings import SandboxSettings
from sandbox.sound import look_into_sound
from sandbox.tokens import MEDIUM_TOKENS_MAX, count_image, count_video
from sandbox.video import look_into_video

SOUND_TOKENS_PER_SECOND = 10
SOURCE_CHARACTERS_MAX = 120

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One medium of a request, counted from 1. Either `facts` or `problem`, the reason why there are none."""

    number: int
    kind: str
    source: str
    facts: Facts | None
    problem: str | None

    @property
    def tokens(self) -> int:
        """What it costs as input; a medium that was not seen costs nothing."""
        match self.facts:
            case None:
                return 0
            case VideoFacts(width=width, height=height, frames_sampled=frames):
                return count_video(width=width, height=height, frames=frames)
            case ImageFacts(width=width, height=height):
                return count_image(width=width, height=height)
            case SoundFacts(duration_seconds=seconds):
                return min(round((seconds or 0) * SOUND_TOKENS_PER_SECOND), MEDIUM_TOKENS_MAX)
            case DocumentFacts(tokens=tokens):
                return tokens


def look_at_all(parts: Sequence[MediaPart], *, settings: SandboxSettings) -> list[Medium]:
    """Look into each medium, in order; one that cannot be reached is kept with the reason."""
    return [_look_at(part, number=number, settings=settings) for number, part in enumerate(parts, 1)]


def refuse_unseen(media: Sequence[Medium]) -> None:
    """Raise Refused (400) for the first medium that could not be seen, as the real endpoint does."""
    for medium in media:
        if medium.problem is not None:
            raise Refused(
                f"Error while downloading medium {medium.number} ({medium.source}): {medium.problem}",
                param=f"input_{medium.kind}",
            )


def _look_at(part: MediaPart, *, number: int, settings: SandboxSettings) -> Medium:
    try:
        with fetched(part.source, settings=settings) as file:
            found: Facts | Unseen = _beside_the_loop(_facts_or_reason, part, file)
    except Unseen as unseen:
        found = unseen
    problem, facts = (str(found), None) if isinstance(found, Unseen) else (None, found)
    return Medium(number=number, kind=part.kind, source=_short(part.source), facts=facts, problem=problem)


def _facts_or_reason(part: MediaPart, file: Fetched) -> Facts | Unseen:
    # Returned, not raised: gevent prints what is raised in its thread pool, handled or not.
    try:
        return _look_into(part, file)
    except Unseen as unseen:
        return unseen


def _look_into(part: MediaPart, file: Fetched) -> Facts:
    match part.kind:
        case "video":
            return look_into_video(file.path, fps=part.fps)
        case "image":
            return look_into_image(file.path)
        case "audio":
            return look_into_sound(file.path)
        case "file":
            return look_into_document(file, filename=part.filename)


def _beside_the_loop(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `work` here under threads, and in gevent's thread pool under gevent, whose loop it would hold up."""
    if not is_module_patched("threading"):
        return work(*args, **kwargs)
    result: T = get_hub().threadpool.apply(work, args, kwargs)
    return result


def _short(source: str) -> str:
    """The source without what may be secret in it (user, query) or long (data)."""
    if source[:5].lower() == "data:":
        return "a data URI"
    try:
        address = urlsplit(source)
    except ValueError:
        return "a malformed URL"
    plain = f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}" if address.netloc else source
    return plain if len(plain) <= SOURCE_CHARACTERS_MAX else plain[: SOURCE_CHARACTERS_MAX - 1] + "…"
