"""One sender process: what it is made of."""

from __future__ import annotations

from jobs.coalesce import Coalescer
from jobs.connection import connect
from jobs.redis_safety import RedisSafety
from jobs.settings import Settings
from jobs.tracing import UNTRACED, Tracer
from jobs.vault import Vault
from jobs.webhooks.deliveries import Deliveries
from jobs.webhooks.releases import Releases
from jobs.webhooks.senders import Senders
from schemas.webhook_url import same_origins
from worker.calls import Calls
from worker.crew import Crew
from worker.loops import Loop
from worker.queue_process import WRITE_SECONDS, Parts, QueueProcess, new_id
from worker.webhooks.client import WebhookClient
from worker.webhooks.delivery import DeliveryAttempts
from worker.webhooks.dispatcher import DeliveryDispatcher
from worker.webhooks.heartbeat import SenderHeartbeat
from worker.webhooks.keyring import Keyring
from worker.webhooks.resolver import widen_resolver
from worker.webhooks.sweeper import DeliverySweeper

TIDY_SECONDS = 1.0


class SenderProcess(QueueProcess):
    """It makes the deliveries of webhooks."""

    def __init__(self, settings: Settings, *, tracer: Tracer = UNTRACED) -> None:
        own_id = new_id()
        redis = connect(settings.redis_url)
        self._senders = Senders(redis)
        calls = Calls()
        coalescer = Coalescer(connect(settings.redis_url, answer_seconds=WRITE_SECONDS))
        deliveries = Deliveries(coalescer, sender=own_id, disable_seconds=settings.webhook_disable_seconds)
        self._attempts = DeliveryAttempts(
            deliveries=deliveries,
            client=open_client(settings),
            keyring=Keyring(
                Vault(redis, secret=settings.secret, older=settings.old_secrets), own_secret=settings.webhook_secret
            ),
            calls=calls,
            schedule=settings.webhook_schedule,
            timeout_seconds=settings.webhook_timeout_seconds,
            tracer=tracer,
        )
        crew = Crew(self._attempts.claim, self._attempts.make, calls, slots=settings.webhook_slots)
        releases = Releases(redis, schedule=settings.webhook_schedule, rate=settings.webhook_rate)
        dispatcher = DeliveryDispatcher(releases, redis, sender=own_id)
        parts = Parts(
            crew=crew,
            calls=calls,
            coalescer=coalescer,
            beats=Loop("heartbeat", SenderHeartbeat(self._senders, crew, sender=own_id).step),
            others=(
                Loop("dispatcher", dispatcher.step),
                Loop("sweeper", DeliverySweeper(self._senders).step),
                Loop("tidying", self._tidy),
            ),
            safety=RedisSafety(redis, unsafe=settings.unsafe_redis),
            closing=dispatcher.close,
        )
        super().__init__(own_id, parts, grace_seconds=settings.grace_seconds, log_level=settings.log_level)

    def start(self) -> None:
        widen_resolver()
        super().start()

    def stop(self) -> None:
        super().stop()
        self._attempts.client.close()

    def _tidy(self) -> float:
        self._attempts.client.tidy()
        return TIDY_SECONDS

    def leave(self) -> int:
        return self._senders.leave(self.id)


def open_client(settings: Settings) -> WebhookClient:
    return WebhookClient(
        allow=settings.webhook_allow,
        own=own_origins(settings.public_url),
        timeout_seconds=settings.webhook_timeout_seconds,
        connections=settings.webhook_slots,
        ca_file=settings.webhook_ca_file,
    )


def own_origins(public_url: str) -> frozenset[str]:
    """Where this service itself is reached, as far as that is known; no webhook goes there."""
    try:
        return same_origins(public_url)
    except ValueError:  # unset, or nothing that a webhook could name
        return frozenset()
