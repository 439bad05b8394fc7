"""taskiq on Redis streams, which its messages survive, with aiohttp as its users have it."""

import asyncio

import aiohttp
from taskiq import TaskiqEvents, TaskiqState
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker
from work import ENDPOINT, HEADERS, REDIS_URL, WIDTH

broker = RedisStreamBroker(url=REDIS_URL, consumer_id="0").with_result_backend(
    RedisAsyncResultBackend(redis_url=REDIS_URL, prefix_str="results")
)


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def open_session(state: TaskiqState) -> None:
    timeout = aiohttp.ClientTimeout(total=600)
    state.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=WIDTH or 100), timeout=timeout)


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def close_session(state: TaskiqState) -> None:
    await state.session.close()


@broker.task(task_name="call")
async def call(job_id: str, body: str) -> str:
    async with broker.state.session.post(f"{ENDPOINT}/v1/responses", data=body, headers=HEADERS) as answer:
        answer.raise_for_status()
        return await answer.text()


loop = asyncio.new_event_loop()


def open_client() -> None:
    loop.run_until_complete(broker.startup())


def send(job_id: str, body: str) -> None:
    loop.run_until_complete(call.kicker().with_task_id(job_id).kiq(job_id, body))


def close_client() -> None:
    loop.run_until_complete(broker.shutdown())
