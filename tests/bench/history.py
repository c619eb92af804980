"""A history of a million edits beside one of a thousand: every way to read it costs the same."""

import gzip
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import UUIDField
from django.utils import timezone

from editor.library.edits import source_term
from editor.models import GenerationJob, Image, Membership, Role, User, Workspace
from editor.views.history import PER_PAGE, write_cursor
from tests.bench.pages import FEW, Load, loader, measured, queries, signed_in
from tests.bench.stage import Stage
from tests.bench.table import Row, milliseconds
from tests.makers import make_image, make_user
from tests.portal import Portal, SandboxOptions

MANY = 1_000_000
WORDS = {"watercolour": 1, "winter": 2, "wine": 3, "heron": 0}  # one of so many edits has it; 0: ten of all
SOME = 20  # one of so many failed, is of the team, is by the member, is a favourite
WEIGHT = 100_000  # bytes of a page, compressed


class Filled(NamedTuple):
    owner: User
    member: User
    team: Workspace  # all edits
    small: Workspace  # none of them
    source: Image  # of all edits
    oldest: GenerationJob  # the last but a page


def measure(stage: Stage) -> list[Row]:
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web")) as portal:
        few, many = fill(FEW), fill(MANY)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        rows = [compare(portal, name, few, many, small, large) for name, (small, large) in ways(few, many).items()]
        return [*rows, *weights(portal, few)]


def ways(few: Filled, many: Filled) -> dict[str, tuple[str, str]]:
    """What is read, by name: the address of the small history and of the large one."""

    def both(query: str, room: str = "/history/") -> tuple[str, str]:
        day = (timezone.now() - timedelta(hours=8)).date()
        one, other = ((room + query).format(f=each, day=day) for each in (few, many))
        return one, other

    def last(room: str = "/history/") -> tuple[str, str]:
        one, other = (f"{room.format(f=each)}?before={write_cursor(each.owner, each.oldest)}" for each in (few, many))
        return one, other

    team = "/workspaces/{f.team.pk}/history/"
    return {
        "history": both(""),
        "  its last page": last(),
        "  done": both("?state=done"),
        "  did not work, one of twenty": both("?state=failed"),
        "  working, none": both("?state=working"),
        "  a day": both("?since={day}&until={day}"),
        "  one workspace of two": both("?workspace={f.team.pk}"),
        "  a workspace without any": both("?workspace={f.small.pk}"),
        "  favourites, one of twenty": both("?favourites=1"),
        "  of one picture": both("?source={f.source.pk}"),
        "search: a word of all": both("?q=watercolour"),
        "search: a word of ten": both("?q=heron"),
        "search: a word of all and one of ten": both("?q=heron+watercolour"),
        "search: a word of ten, then one of all": both("?q=watercolour+heron"),
        "search: a word of all and one of half": both("?q=watercolour+winter"),
        "search: the beginning of two words": both("?q=wi"),
        "search: nothing is found": both("?q=heron+nothing"),
        "filters: six at once": both(
            "?q=watercolour&state=done&workspace={f.team.pk}&since=2020-01-01&source={f.source.pk}&favourites=1"
        ),
        "a workspace’s": both("", team),
        "  the last page of that": last(team),
        "  did not work there": both("?state=failed", team),
        "  a member’s, one of twenty": both("?who={f.member.pk}", team),
        "  search: a word of all": both("?q=watercolour", team),
        "  search: a word of ten": both("?q=heron", team),
    }


def compare(portal: Portal, name: str, few: Filled, many: Filled, small: str, large: str) -> Row:
    loads: dict[str, Load] = {"few": loader(portal, few.owner, small), "many": loader(portal, many.owner, large)}
    found = measured(loads, rounds=15)
    ratio, asked = found["many"] / found["few"], queries(many.owner, large)
    counting = sum("COUNT(" in sql.upper() for sql in asked)
    return Row(
        f"{name}, {MANY:,} edits",
        milliseconds(found["many"]),
        f"{milliseconds(found['few'])} with {FEW:,}; {len(asked)} queries",
        "≤ 1.3 ×, ≤ 5",
        ratio <= 1.3 and len(asked) <= 5 and not counting,
    )


def weights(portal: Portal, few: Filled) -> list[Row]:
    """The page and what it loads besides pictures, compressed as it travels or would."""
    session = signed_in(few.owner)
    rows = []
    for name, path in {"history": "/history/", "history, searched": "/history/?q=watercolour&state=done"}.items():
        weight = len(gzip.compress(session.get(portal.url + path, timeout=60).content))
        rows.append(Row(f"{name}: the page, compressed", f"{weight / 1000:.1f} KB", "", "< 100 KB", weight < WEIGHT))
    return rows


def fill(count: int) -> Filled:
    """A person's edits in a team, a minute apart, each with three terms; a result has every twentieth, a favourite."""
    owner, member = make_user(f"history{count}@example.com"), make_user(f"member{count}@example.com")
    team = Workspace.objects.found(owner, f"{count} edits")
    small = Workspace.objects.found(owner, f"None of {count}")
    Membership.objects.create(workspace=team, user=member, role=Role.EDITOR)
    source = make_image(owner, workspace=team)
    _jobs(owner, team, count)
    if count >= SOME:
        theirs = f"MOD(seed, {SOME}) = 9"
        _run(
            f"UPDATE editor_generationjob SET made_by_id = %s WHERE workspace_id = %s AND {theirs}", member.pk, team.pk
        )
    _terms(team, count, source)
    _results(owner, team, source)
    mine = GenerationJob.objects.filter(workspace=team, made_by=owner)
    return Filled(owner, member, team, small, source, mine.order_by("created_at", "id")[PER_PAGE])


def _jobs(owner: User, team: Workspace, count: int) -> None:
    """Straight in the database: a million rows would take minutes to carry there."""
    uid, ago = ("gen_random_uuid()", "now() - n * interval '1 minute'")
    numbers = "generate_series(0, %s - 1) AS s(n)"
    if connection.vendor == "sqlite":
        uid, ago = "lower(hex(randomblob(16)))", "datetime('now', '-' || n || ' minutes')"
        numbers = "(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < %s - 1) SELECT n FROM s)"
    pattern = GenerationJob(workspace=team, made_by=owner, prompt="", form_token="", seed=0)
    names = {"id": uid, "seed": "n", "form_token": f"'{team.pk.hex}' || n", "created_at": ago, "finished_at": ago}
    names |= {"prompt": "'make it look like a watercolour, number ' || n"}
    names |= {"state": f"CASE WHEN n % {SOME} = 3 THEN 'canceled' ELSE 'succeeded' END".replace("%", "%%")}
    names |= {"allowance": f"CASE WHEN n % {SOME} = 3 THEN 'released' ELSE 'taken' END".replace("%", "%%")}
    values, said = [], []
    for field in GenerationJob._meta.concrete_fields:
        if field.column in names:
            values.append(names[field.column])
        else:
            values.append("%s")
            said.append(field.get_db_prep_save(getattr(pattern, field.attname), connection))
    columns = ", ".join(str(field.column) for field in GenerationJob._meta.concrete_fields)
    _run(f"INSERT INTO editor_generationjob ({columns}) SELECT {', '.join(values)} FROM {numbers}", *said, count)


def _terms(team: Workspace, count: int, source: Image) -> None:
    for word, every in (WORDS | {source_term(source.pk): 1}).items():
        step = every or max(1, count // 10)
        _run(
            "INSERT INTO editor_editterm (job_id, made_by_id, workspace_id, term, job_created_at)"
            " SELECT id, made_by_id, workspace_id, %s, created_at FROM editor_generationjob"
            f" WHERE workspace_id = %s AND MOD(seed, {step}) = 0",
            word,
            team.pk,
        )
    _run(
        "INSERT INTO editor_jobsource (job_id, image_id, position) SELECT id, %s, 0 FROM editor_generationjob"
        " WHERE workspace_id = %s",
        source.pk,
        team.pk,
    )


def _results(owner: User, team: Workspace, source: Image) -> None:
    """Of every twentieth edit, and each is a favourite."""
    uid = "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()"
    own = {"id": uid, "job_id": "j.id", "kind": "'generated'", "created_at": "j.created_at"}
    columns = [str(field.column) for field in Image._meta.concrete_fields]
    chosen = ", ".join(own.get(column, f"i.{column}") for column in columns)
    _run(
        f"INSERT INTO editor_image ({', '.join(columns)}) SELECT {chosen} FROM editor_generationjob j, editor_image i"
        f" WHERE j.workspace_id = %s AND MOD(j.seed, {SOME}) = 4 AND i.id = %s",
        team.pk,
        source.pk,
    )
    _run(
        "INSERT INTO editor_favourite (user_id, image_id, image_created_at, job_id, job_created_at) SELECT %s, i.id,"
        " i.created_at, j.id, j.created_at FROM editor_image i JOIN editor_generationjob j ON j.id = i.job_id"
        " WHERE i.workspace_id = %s",
        owner.pk,
        team.pk,
    )


def _run(sql: str, *said: object) -> None:
    keys: list[Any] = [UUIDField().get_db_prep_value(one, connection) if isinstance(one, UUID) else one for one in said]
    with connection.cursor() as cursor:
        cursor.execute(sql, keys)
