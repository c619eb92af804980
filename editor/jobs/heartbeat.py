"""Keeping a lease while a unit of work waits for somebody else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection

from editor.models.leases import Leased


@contextmanager
def kept(row: Leased, length: timedelta) -> Iterator[None]:
    """Renew the lease of `row` each third of `length` until the block ends or the lease is lost."""
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(length.total_seconds() / 3):
                if not row.renew(length):
                    return
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat of {row.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
