"""The control: the same edit as a plain task of RQ that makes the call, waits for it, and stores the picture.

RQ repeats it by itself when it fails. Run as a program this is its worker; REDIS_URL says where.
"""

import os
import signal
import time
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config
from redis import Redis
from rq import Queue, Retry, Worker
from rq.serializers import JSONSerializer

QUEUE = "control"
POINTS = ("request-leaves", "request-answered", "stored")
PAUSES = [1, 2, 4]  # seconds before RQ's retries


def edit(base_url: str, body: dict[str, Any], key: str) -> None:
    """The task."""
    _passing("request-leaves")
    answer = requests.post(f"{base_url}flux_kontext_dev/img2img", json=body, timeout=6)
    _passing("request-answered")
    answer.raise_for_status()
    picture = requests.get(answer.json()["output"][0], timeout=10)
    picture.raise_for_status()
    _bucket().put_object(Bucket=os.environ["S3_BUCKET"], Key=key, Body=picture.content)
    _passing("stored")


def linger(note: str) -> None:
    """Write down that it began, and take long; the second time it is done at once."""
    with Redis.from_url(os.environ["REDIS_URL"]) as connection:
        if connection.rpush(note, time.time()) == 1:
            time.sleep(3600)


def call_lingering(redis_url: str, note: str) -> None:
    """Queue the one above, with RQ's own retries."""
    with Redis.from_url(redis_url) as connection:
        queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, commit_mode="auto")
        queue.enqueue(linger, args=(note,), job_timeout=3600, retry=Retry(max=len(PAUSES)))


def call(redis_url: str, base_url: str, body: dict[str, Any], key: str) -> None:
    """Queue it, with RQ's own retries."""
    with Redis.from_url(redis_url) as connection:
        queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, commit_mode="auto")
        queue.enqueue(edit, args=(base_url, body, key), retry=Retry(max=len(PAUSES), interval=PAUSES))


def _bucket() -> Any:
    return boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT_URL"],
        region_name=os.environ["S3_REGION"],
        aws_access_key_id=os.environ["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["S3_SECRET_ACCESS_KEY"],
        config=Config(
            signature_version="s3v4", s3={"addressing_style": "path"}, connect_timeout=3, read_timeout=10, proxies={}
        ),
    )


def _passing(point: str) -> None:
    trap = Path(os.environ["CHAOS_TRAPS"]) / f"control@{point}"
    try:
        trap.rename(trap.with_name(f"sprung-{os.getpid()}-{trap.name}"))
    except OSError:
        return
    if trap.with_name(f"sprung-{os.getpid()}-{trap.name}").read_text() == "kill-all":
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    with Redis.from_url(os.environ["REDIS_URL"]) as bell:
        Worker([QUEUE], connection=bell, serializer=JSONSerializer).work(logging_level="ERROR", with_scheduler=True)
