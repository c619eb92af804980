"""The control: an ordinary RQ worker whose task makes the call, waits for the picture, and downloads it.

Run as a program it is that worker; REDIS_URL says where.
"""

import os
from typing import Any

import requests
from redis import Redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer

QUEUE = "control"


def edit(base_url: str, body: dict[str, Any]) -> int:
    """The task: bytes of the picture."""
    answer = requests.post(f"{base_url}flux_kontext_dev/img2img", json=body, timeout=120).json()
    return len(requests.get(answer["output"][0], timeout=60).content)


def call(redis_url: str, base_url: str, body: dict[str, Any]) -> None:
    """Queue one such call."""
    with Redis.from_url(redis_url) as connection:
        queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, commit_mode="auto")
        queue.enqueue(edit, args=(base_url, body), result_ttl=0)


if __name__ == "__main__":
    Worker([QUEUE], connection=Redis.from_url(os.environ["REDIS_URL"]), serializer=JSONSerializer).work(
        logging_level="WARNING"
    )
