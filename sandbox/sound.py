"""Looking into a recording."""

from pathlib import Path

from sandbox.container import container_name, container_seconds, opened
from sandbox.errors import Unseen
from sandbox.facts import SoundFacts


def look_into_sound(path: Path) -> SoundFacts:
    """Container, codec, length and channels of a recording. Raises Unseen."""
    with opened(path) as container:
        if not container.streams.audio:
            raise Unseen("it holds no sound")
        stream = container.streams.audio[0]
        return SoundFacts(
            container=container_name(container, path),
            codec=stream.codec_context.name,
            duration_seconds=container_seconds(container),
            sample_rate_hz=stream.codec_context.sample_rate,
            channels=stream.codec_context.channels,
        )
