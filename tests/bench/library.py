"""A library of a hundred thousand pictures beside one of a thousand: every way to read it costs the same."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import UUIDField
from django.utils import timezone

from editor.models import Collection, GenerationJob, Image, ImageKind, Membership, Role, Shape, Tag, User, Workspace
from editor.views.library import PER_PAGE, write_cursor
from tests.bench.pages import FEW, MANY, Load, copy_of, finished, loader, measured, queries
from tests.bench.stage import Stage
from tests.bench.table import Row, milliseconds
from tests.makers import make_image, make_user
from tests.portal import Portal, SandboxOptions

MEMBERS, COLLECTIONS, TAGS = 50, 200, 200
SOME = 20  # one of so many pictures is a result, is by a member, has a tag: a page of them also in the small library
BATCH = 5_000
SHAPES = list(Shape)
TRASHED = ("library", "  by name", "filter: uploads")


class Filled(NamedTuple):
    """A workspace and whom it is shown to."""

    owner: User
    member: User
    workspace: Workspace
    collection: Collection  # all pictures
    oldest: Image  # the last but a page


def measure(stage: Stage) -> list[Row]:
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web")) as portal:
        few, many = fill(FEW), fill(MANY)
        analyze()
        found = ways(few, many)
        rows = [row for name, paths in found.items() for row in compare(portal, name, few, many, *paths)]
        trash_all_but_few(many.workspace)
        analyze()
        for name in TRASHED:
            rows += compare(portal, f"{name.strip()}, the newest in the trash", few, many, *found[name])
        return rows


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def trash_all_but_few(workspace: Workspace) -> None:
    """The oldest are kept: the trash lies in front of them."""
    images = Image.objects.filter(workspace=workspace)
    images.filter(created_at__gt=images.order_by("created_at")[FEW].created_at).update(trashed_at=timezone.now())


def ways(few: Filled, many: Filled) -> dict[str, tuple[str, str]]:
    """What is read, by name: the address in the small library and in the large one."""

    def both(query: str) -> tuple[str, str]:
        return address(few, query), address(many, query)

    def address(each: Filled, query: str) -> str:
        day = (timezone.now() - timedelta(hours=8)).date()  # at any hour one with a page of pictures in both
        return f"/workspaces/{each.workspace.pk}/library/{query.format(f=each, day=day)}"

    def cursor(each: Filled) -> str:
        return address(each, f"?before={write_cursor(each.owner, each.workspace, 'newest', each.oldest)}")

    return {
        "library": both(""),
        "  its last page": (cursor(few), cursor(many)),
        "  oldest first": both("?sort=oldest"),
        "  by name": both("?sort=name"),
        "search: a word of all pictures": both("?q=photo"),
        "search: a word of ten": both("?q=heron"),
        "search: a word of all and one of ten": both("?q=heron+photo"),
        "search: a word of ten, then one of all": both("?q=photo+heron"),
        "search: a word of all and one of half": both("?q=photo+winter"),
        "search: the beginning of many words": both("?q=pla"),
        "search: nothing is found": both("?q=heron+nothing"),
        "  a word of all, by name": both("?q=photo&sort=name"),
        "tag: all pictures": both("?tag=all"),
        "tag: one of twenty pictures": both("?tag=tag+7"),
        "collection of all pictures": (f"/collections/{few.collection.pk}/", f"/collections/{many.collection.pk}/"),
        "filter: uploads": both("?kind=uploaded"),
        "filter: results, one of twenty": both("?kind=generated"),
        "filter: shape": both("?shape=square"),
        "filter: who": both("?who={f.member.pk}"),
        "filter: a day": both("?since={day}&until={day}"),
        "filter: approved, one of twenty pictures": both("?approval=approved"),
        "filter: drafts": both("?approval=draft"),
        "filter: favourites": both("?favourites=1"),
        "filters: tag and collection": both("?tag=all&collection={f.collection.pk}"),
        "filters: five at once": both("?kind=uploaded&shape=square&tag=all&q=photo&collection={f.collection.pk}"),
    }


def compare(portal: Portal, name: str, few: Filled, many: Filled, small: str, large: str) -> list[Row]:
    loads: dict[str, Load] = {"few": loader(portal, few.owner, small), "many": loader(portal, many.owner, large)}
    found = measured(loads)
    ratio, asked = found["many"] / found["few"], queries(many.owner, large)
    counting = sum("COUNT(" in sql.upper() for sql in asked)
    return [
        Row(
            f"{name}, {MANY:,} pictures",
            milliseconds(found["many"]),
            f"{milliseconds(found['few'])} with {FEW:,}; {len(asked)} queries",
            "≤ 1.3 ×, ≤ 5",
            ratio <= 1.3 and len(asked) <= 5 and not counting,
        )
    ]


def fill(count: int) -> Filled:
    """A team of 50 with 200 collections, 200 tags and so many pictures, a minute apart, each with four words."""
    owner = make_user(f"library{count}@example.com")
    workspace = Workspace.objects.found(owner, f"{count} pictures")
    people = [make_user(f"member{number}of{count}@example.com") for number in range(MEMBERS - 1)]
    Membership.objects.bulk_create(Membership(workspace=workspace, user=one, role=Role.EDITOR) for one in people)
    collections = Collection.objects.bulk_create(
        Collection(workspace=workspace, name=f"Collection {number}", made_by=owner) for number in range(COLLECTIONS)
    )
    tags = Tag.objects.bulk_create(
        Tag(workspace=workspace, name=f"tag {number}" if number else "all") for number in range(TAGS)
    )
    _pictures(owner, [owner, *people], workspace, count)
    _shelve(owner, workspace, count, collections, tags)
    oldest = Image.objects.filter(workspace=workspace).order_by("created_at", "id")[PER_PAGE]
    return Filled(owner, people[6], workspace, collections[0], oldest)


def _pictures(owner: User, people: list[User], workspace: Workspace, count: int) -> None:
    now = timezone.now()
    pattern = make_image(owner)
    pattern.workspace = workspace
    for begin in range(0, count, BATCH):
        numbers = range(begin, min(begin + BATCH, count))
        job = finished(owner, workspace, now - timedelta(minutes=begin), begin)
        GenerationJob.objects.bulk_create([job])
        rows = []
        for number in numbers:
            result = number % SOME == 7
            row = copy_of(pattern, ImageKind.GENERATED if result else ImageKind.UPLOADED, job if result else None)
            row.position = number - begin
            row.name, row.made_by = (
                f"photo {(number * 7919) % count:06}",
                people[6 if number % SOME == 9 else number % len(people)],
            )
            row.created_at, row.shape = now - timedelta(minutes=number), SHAPES[number % len(SHAPES)]
            rows.append(row)
        Image.objects.bulk_create(rows)


def _shelve(owner: User, workspace: Workspace, count: int, collections: list[Collection], tags: list[Tag]) -> None:
    """Straight in the database: rows of half a million pictures would take minutes to carry there."""
    words = {"photo": 1, "winter": 2, "heron": max(1, count // 10)} | {f"place{number}": 40 for number in range(9)}
    for number, (word, every) in enumerate(words.items()):
        _insert("imageword", "workspace_id, word", "workspace_id, %s", [word], workspace.pk, every, number % every)
    for number, collection in enumerate(collections):
        key = _as_key(collection.pk)
        who = "added_by_id, collection_id"
        _insert("collectionitem", who, "%s, %s", [owner.pk, key], workspace.pk, COLLECTIONS if number else 1, number)
    for number, tag in enumerate(tags):
        every = {0: 1, 7: SOME}.get(number, TAGS)
        _insert("imagetag", "tag_id", "%s", [tag.pk], workspace.pk, every, number % every)
    states = "workspace_id, 'approved', '', '', created_at"
    _insert("approval", "workspace_id, state, guest_name, why, at", states, [], workspace.pk, SOME, 11)
    _insert("favourite", "user_id", "%s", [owner.pk], workspace.pk, 10, 0)


def _insert(table: str, columns: str, values: str, said: list[Any], space: UUID, every: int, rest: int) -> None:
    """Rows for each so-many-th picture, counted from the newest."""
    numbered = "SELECT *, ROW_NUMBER() OVER (ORDER BY created_at DESC) AS number FROM editor_image"
    sql = (
        f"INSERT INTO editor_{table} (image_id, image_created_at, {columns}) SELECT id, created_at, {values} "
        f"FROM ({numbered} WHERE workspace_id = %s) AS numbered WHERE MOD(number, {every}) = {rest % every}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*said, _as_key(space)])


def _as_key(pk: UUID) -> Any:
    return UUIDField().get_db_prep_value(pk, connection)
