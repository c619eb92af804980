"""The history with a thousand edits and with a hundred thousand, and what fifty pictures on a page cost."""

import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import requests
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from editor.images import bucket, keys
from editor.models import Allowance, GenerationJob, Image, ImageKind, JobSource, JobState, User, Workspace
from editor.views.history import PER_PAGE, write_cursor
from tests.bench.stage import Stage, alternately
from tests.bench.table import Row, median, milliseconds
from tests.demo.browser import Page
from tests.makers import make_image, make_user
from tests.portal import Portal, SandboxOptions

FEW, MANY = 1_000, 100_000
ROUNDS, PICTURE_ROUNDS, UNCOUNTED = 25, 8, 2
BATCH = 5_000
AT_ONCE = 6  # connections of a browser to one host
STATIC = Path(settings.BASE_DIR) / "static"
PICTURE = STATIC / "img" / "welcome-before.webp"
Load = Callable[[], float]


def measure(stage: Stage) -> list[Row]:
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web")) as portal:
        rows = [*depth(portal), *thumbnails(portal)]
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web"), extra={"S3_PUBLIC": "1"}) as portal:
        return [*rows, *direct(portal)]


def depth(portal: Portal) -> list[Row]:
    few, many = (fill(make_user(f"{count}@example.com"), count) for count in (FEW, MANY))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    asked = queries(many, "/history/"), queries(many, last_page(many))
    measures = {
        "few": loader(portal, few, "/history/"),
        "first": loader(portal, many, "/history/"),
        "last": loader(portal, many, last_page(many)),
    }
    found = measured(measures)
    most, counts = max(len(one) for one in asked), sum("COUNT(" in sql for one in asked for sql in one)
    to_first, to_few = found["last"] / found["first"], found["first"] / found["few"]
    control = milliseconds(found["first"])
    return [
        Row(f"history of {FEW:,} edits, first page", milliseconds(found["few"])),
        Row(
            f"history of {MANY:,} edits, first page",
            control,
            f"{milliseconds(found['few'])} with {FEW:,}",
            "≤ 1.3 ×",
            to_few <= 1.3,
        ),
        Row("  last page", milliseconds(found["last"]), f"{control} the first", "≤ 1.3 ×", to_first <= 1.3),
        Row("  queries a page, those that count", f"{most}, {counts}", "", "≤ 5, 0", most <= 5 and counts == 0),
    ]


def thumbnails(portal: Portal) -> list[Row]:
    shown, bare = make_user("shown@example.com"), make_user("bare@example.com")
    fill(shown, PER_PAGE, stored=True)
    fill(bare, PER_PAGE, pictures=False)
    session = signed_in(shown)
    page = Page(session.get(f"{portal.url}/history/", timeout=60))
    addresses = [urljoin(page.url, one) for one in page.pictures if "/images/" in one]
    images = shown.images.all()[: len(addresses)]
    signed = [bucket.signed_url(keys.rendition_key(image.pk, 320), 600) for image in images]
    found = measured({"bare": loader(portal, bare, "/history/"), "shown": loader(portal, shown, "/history/")})
    static = [f"{portal.url}/static/{PICTURE.relative_to(STATIC)}?{number}" for number in range(len(addresses))]
    spent = {"portal": 0.0, "static": 0.0}

    def counted(name: str, asked: list[str]) -> float:
        before = cpu_of(portal)
        took = fetch(asked, session)
        spent[name] += cpu_of(portal) - before
        return took

    fetch(addresses, session)  # for the first time: from the bucket
    all_of = measured(
        {
            "portal": lambda: counted("portal", addresses),
            "static": lambda: counted("static", static),
            "bucket": lambda: fetch(signed, requests.Session()),
        },
        rounds=PICTURE_ROUNDS,
    )
    ratio, each = found["shown"] / found["bare"], all_of["portal"] / max(1, len(addresses))
    return [
        Row(
            f"a page that shows {len(addresses)} pictures, through the portal",
            milliseconds(found["shown"]),
            f"{milliseconds(found['bare'])} the same without",
            "≤ 1.3 ×",
            ratio <= 1.3,
        ),
        Row(
            f"  its pictures through the portal, {AT_ONCE} at once",
            milliseconds(all_of["portal"]),
            f"{milliseconds(all_of['static'])} the same bytes as static files",
            "≤ 2 ×",
            all_of["portal"] <= 2 * all_of["static"],
        ),
        Row(
            "  CPU that they take of the web process",
            milliseconds(spent["portal"] / (UNCOUNTED + PICTURE_ROUNDS)),
            f"{milliseconds(spent['static'] / (UNCOUNTED + PICTURE_ROUNDS))} the static files",
        ),
        Row("  the same straight from the bucket", milliseconds(all_of["bucket"])),
        Row("  a picture", milliseconds(each)),
        Row(
            "  page and pictures together",
            milliseconds(found["shown"] + all_of["portal"]),
            f"{milliseconds(found['bare'])} a page without",
        ),
    ]


def direct(portal: Portal) -> list[Row]:
    """The same page where browsers reach the bucket: the portal is asked for the page alone."""
    shown, bare = make_user("direct@example.com"), make_user("barely@example.com")
    fill(shown, PER_PAGE, stored=True)
    fill(bare, PER_PAGE, pictures=False)
    page = signed_in(shown).get(f"{portal.url}/history/", timeout=60)
    pictures = [one for one in Page(page).pictures if "/images/" in one]
    ours = sum(one.startswith(("/", portal.url)) for one in pictures)
    found = measured({"bare": loader(portal, bare, "/history/"), "shown": loader(portal, shown, "/history/")})
    return [
        Row(
            f"a page that shows {len(pictures)} pictures, delivered directly",
            milliseconds(found["shown"]),
            f"{milliseconds(found['bare'])} the same without; {ours} of them asked of the portal",
            "≤ 1.3 ×, 0",
            found["shown"] <= 1.3 * found["bare"] and not ours,
        )
    ]


def fill(user: User, count: int, *, stored: bool = False, pictures: bool = True) -> User:
    """So many finished edits of one person, a minute apart, each with a result; `stored`: of sources of their own."""
    now, workspace = timezone.now(), Workspace.objects.personal_of(user)
    pattern = make_image(user, stored=stored)
    if stored:
        bucket.put(keys.rendition_key(pattern.pk, 320), PICTURE.read_bytes(), "image/webp")
    for begin in range(0, count, BATCH):
        numbers = range(begin, min(begin + BATCH, count))
        jobs = [finished(user, workspace, now - timedelta(minutes=number), number) for number in numbers]
        GenerationJob.objects.bulk_create(jobs)
        if pictures:
            sources = [copy_of(pattern, ImageKind.UPLOADED) if stored else pattern for _ in jobs]
            results = [copy_of(pattern, ImageKind.GENERATED, job=job) for job in jobs]
            Image.objects.bulk_create([*sources, *results] if stored else results)
            JobSource.objects.bulk_create(
                JobSource(job=job, position=0, image=image) for job, image in zip(jobs, sources, strict=True)
            )
            for image in [*sources, *results] if stored else ():
                bucket.copy(keys.rendition_key(pattern.pk, 320), keys.rendition_key(image.pk, 320))
    return user


def finished(user: User, workspace: Workspace, moment: Any, number: int) -> GenerationJob:
    return GenerationJob(
        workspace=workspace,
        made_by=user,
        prompt=f"make it look like watercolour number {number}",
        form_token=uuid4().hex,
        seed=number,
        state=JobState.SUCCEEDED,
        allowance=Allowance.TAKEN,
        created_at=moment,
        finished_at=moment,
        width=320,
        height=256,
    )


def copy_of(image: Image, kind: ImageKind, job: GenerationJob | None = None) -> Image:
    """Another row like this one."""
    names = [field.attname for field in Image._meta.concrete_fields if field.attname not in {"id", "job_id", "kind"}]
    return Image(kind=kind, job=job, **{name: getattr(image, name) for name in names})


def last_page(user: User) -> str:
    oldest = GenerationJob.objects.filter(made_by=user).order_by("created_at", "id")[PER_PAGE]
    return f"/history/?before={write_cursor(user, oldest)}"


def queries(user: User, path: str) -> list[str]:
    """The SQL of one page, rendered in this process."""
    client = Client()
    client.force_login(user)
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return [query["sql"] for query in captured.captured_queries]


def signed_in(user: User) -> requests.Session:
    """A browser of this person, by a session that we write: portal and bench share the secret key."""
    client = Client()
    client.force_login(user)
    session = requests.Session()
    session.trust_env = False
    session.cookies.set(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
    return session


def loader(portal: Portal, user: User, path: str) -> Load:
    """Seconds from the request to the last byte of a page, over a connection that is kept."""
    session = signed_in(user)

    def load() -> float:
        began = time.perf_counter()
        session.get(portal.url + path, timeout=60).raise_for_status()
        return time.perf_counter() - began

    return load


def fetch(addresses: list[str], session: requests.Session) -> float:
    """Seconds until all of these are here, as many at once as a browser opens connections."""
    began = time.perf_counter()

    def one(address: str) -> int:
        answer = session.get(address, timeout=60)
        answer.raise_for_status()
        return len(answer.content)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        if 0 in list(pool.map(one, addresses)):
            raise RuntimeError("A picture was empty.")
    return time.perf_counter() - began


def cpu_of(portal: Portal) -> float:
    """Seconds that the web process has computed for so far, in steps of a hundredth; not a number but on Linux."""
    if not (known := Path(f"/proc/{portal.pid('web')}/stat")).exists():
        return math.nan
    told = known.read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def measured(measures: dict[str, Load], rounds: int = ROUNDS) -> dict[str, float]:
    """The median of each, after some rounds that nobody counts."""
    alternately(UNCOUNTED, measures)
    return {name: median(values) for name, values in alternately(rounds, measures).items()}
