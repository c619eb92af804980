"""A thousand people who each hold an event stream in one web process: what that weighs, and how soon they know."""

import asyncio
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psycopg
import requests
from django.db import connection

from editor.events import passes, streams
from editor.models import GenerationJob, Membership, Role, User, Workspace
from tests.bench.stage import Stage
from tests.bench.table import Row, milliseconds, percentile
from tests.makers import make_image, make_job, make_user
from tests.people import client_of
from tests.portal import Portal, SandboxOptions, database_url

STREAMS = 1_000
WARM = 50  # opened and closed before, so that what the process needs once is not counted
ASKING = 20  # each of so many has an edit that changes, and asks for its tile
TEAM_CHANGES = 10
CONNECTIONS = 100  # that PostgreSQL has for everybody
MOST_BYTES, MOST_SECONDS = 60_000, 1.0
FILES = 4_096


def measure(stage: Stage) -> list[Row]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web")) as portal, asyncio.Runner() as runner:
        held = hold_all_but(CONNECTIONS)
        try:
            return runner.run(Crowd(portal).measured())
        finally:
            for each in held:
                each.close()


def hold_all_but(wanted: int) -> list[psycopg.Connection]:
    """Idle connections, so many that PostgreSQL has but `wanted` for the portal, as if that were its limit."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        limit = int(cursor.fetchone()[0])
    return [psycopg.connect(database_url(), application_name="held") for _ in range(limit - wanted)]


class Listener:
    """One browser's stream, and when it was last told of each topic."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.told: dict[str, float] = {}
        self.writer = writer
        self.reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        async for line in reader:
            if line.startswith(b"data: "):
                self.told.update(dict.fromkeys(line[6:].decode().split(), time.perf_counter()))

    async def close(self) -> None:
        self.writer.close()
        self.reading.cancel()


class Crowd:
    """People with a browser each, all in one team; every one has an edit of their own that waits."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.people: list[User] = [make_user(f"listener{number}@example.com") for number in range(STREAMS)]
        # Those who will ask for a tile are signed in; to sign in all would take longer than to measure.
        self.sessions = [
            client_of(person).cookies["sessionid"].value if number % ASKING == 0 else f"session{number}"
            for number, person in enumerate(self.people)
        ]
        self.own = [Workspace.objects.personal_of(person).pk for person in self.people]
        self.team = Workspace.objects.create(name="Everybody")
        Membership.objects.bulk_create(
            Membership(workspace=self.team, user=person, role=Role.EDITOR) for person in self.people
        )
        self.browser = requests.Session()

    async def measured(self) -> list[Row]:
        # One thread, so that the bench itself takes but one connection more.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        for listener in [await self.listener(number) for number in range(WARM)]:
            await listener.close()
        await asyncio.sleep(1)
        empty, before = self.memory(), await asyncio.to_thread(connections)
        listeners = [await self.listener(number) for number in range(STREAMS)]
        await asyncio.sleep(1)
        each = (self.memory() - empty) / STREAMS
        page = self.page()
        told, seen = await self.own_changes(listeners)
        in_team = await self.team_changes(listeners)
        open_ones = sum(not listener.reading.done() for listener in listeners)
        weight = f"{self.memory() / 1e6:.0f} MB in all, {empty / 1e6:.0f} MB without them"
        bases = f"{CONNECTIONS} of PostgreSQL" if connection.vendor == "postgresql" else ""
        now = await asyncio.to_thread(connections)
        for listener in listeners:
            await listener.close()
        known = [percentile(values, 0.95) for values in (told, seen, in_team)]
        return [
            Row(f"{STREAMS} streams that stay open", str(open_ones), "", str(STREAMS), open_ones == STREAMS),
            Row("  memory of each", f"{each / 1000:.1f} KB", weight, "≤ 60 KB", each <= MOST_BYTES),
            Row(
                "  database connections", str(now), f"{before} before; {bases}", f"≤ {CONNECTIONS}", now <= CONNECTIONS
            ),
            Row("  a page meanwhile", milliseconds(page)),
            Row("  a change is told, p95", milliseconds(known[0]), "", "≤ 1 s", known[0] <= MOST_SECONDS),
            Row("  a change is seen, p95", milliseconds(known[1]), "told, asked for and read", "≤ 1 s", known[1] <= 1),
            Row(f"  told to all {STREAMS} of a team, p95", milliseconds(known[2]), "", "≤ 1 s", known[2] <= 1),
        ]

    async def listener(self, number: int) -> Listener:
        """Signed in as this one, by a pass as the portal gives it."""
        text = passes.write(self.people[number].pk, self.sessions[number], [self.team.pk, self.own[number]])
        host, port = urlsplit(self.portal.url).hostname, self.portal.port
        reader, writer = await asyncio.open_connection(host, port)
        asking = f"GET {streams.PATH}?{urlencode({'pass': text})} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        writer.write(f"{asking}Accept: text/event-stream\r\nCookie: sessionid={self.sessions[number]}\r\n\r\n".encode())
        head = await reader.readuntil(b"event: hello")
        if b" 200 " not in head:
            raise RuntimeError(head.decode())
        return Listener(reader, writer)

    def memory(self) -> int:
        """Bytes of the web process that are its own."""
        said = Path(f"/proc/{self.portal.pid('web')}/smaps_rollup").read_text()
        fields = dict(line.split(":", 1) for line in said.splitlines()[1:])
        return 1024 * sum(int(fields[name].split()[0]) for name in ("Private_Dirty", "Private_Clean"))

    def page(self) -> float:
        began = time.perf_counter()
        self.browser.get(f"{self.portal.url}/history/", cookies={"sessionid": self.sessions[0]}, timeout=60)
        return time.perf_counter() - began

    async def own_changes(self, listeners: list[Listener]) -> tuple[list[float], list[float]]:
        """Seconds until a person is told that an edit of theirs ended, and until their browser has the new tile."""
        told, seen = [], []
        for number in range(0, STREAMS, ASKING):
            job = await asyncio.to_thread(make_job, self.people[number])
            began = await asyncio.to_thread(cancel, job)
            at = await told_at(listeners[number], f"edit:{job.pk}")
            told.append(at - began)
            tile = f"{self.portal.url}/edits/{job.pk}/tile/"
            cookies = {"sessionid": self.sessions[number]}
            answer = await asyncio.to_thread(self.browser.get, tile, cookies=cookies, timeout=60)
            if "Canceled" not in answer.text:
                raise RuntimeError("The tile does not show what was told.")
            seen.append(time.perf_counter() - began)
        return told, seen

    async def team_changes(self, listeners: list[Listener]) -> list[float]:
        found = []
        for number in range(TEAM_CHANGES):
            job = await asyncio.to_thread(self.team_job, self.people[number])
            began = await asyncio.to_thread(cancel, job)
            found += [await told_at(listener, f"edit:{job.pk}") - began for listener in listeners]
        return found

    def team_job(self, person: User) -> GenerationJob:
        return make_job(person, make_image(person, workspace=self.team))


def cancel(job: GenerationJob) -> float:
    """When it was asked for, in seconds of the same clock as the listeners'."""
    began = time.perf_counter()
    job.cancel("released")  # type: ignore[arg-type]
    return began


async def told_at(listener: Listener, topic: str) -> float:
    async with asyncio.timeout(30):
        while topic not in listener.told:
            await asyncio.sleep(0.002)
    return listener.told[topic]


def connections() -> int:
    """How many of PostgreSQL's are taken by others than those held here."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
            "AND application_name NOT LIKE 'held%%'"
        )
        return int(cursor.fetchone()[0])
