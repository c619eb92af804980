"""All that is a person's own, as one ZIP made while it is sent: profile, pictures, edits, words and costs.

And what moderators had to do with them: what the person reported, was told, and what was decided about them.

Of workspaces that the person is no longer in there are only the lines of the ledger: the pictures are the team's.
"""

import csv
import io
import json
import logging
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db.models import F, Q
from django.utils import timezone

from editor.accounts import told
from editor.images import bucket, keys
from editor.images.bucket import BucketUnavailable, Missing
from editor.images.delivery import ask_database, leave_database
from editor.images.zipping import Outbox, add_object, entry
from editor.images.zips import unique_name
from editor.models import (
    AllowanceEntry,
    ApprovalEvent,
    Comment,
    GenerationJob,
    Image,
    ImageState,
    Notice,
    Notification,
    Recipe,
    Share,
)
from editor.notifications.choices import choices_of
from editor.notifications.shown import readable_by
from editor.review.mentions import with_names
from editor.review.threads import names_in

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from editor.models import User

log = logging.getLogger(__name__)

BATCH = 200  # rows
Written = Callable[[list[Any], bool], str]
LINES = ("month", "workspace", "edit", "movement", "pictures", "money", "when")  # of the ledger


async def stream(user: "User") -> AsyncGenerator[bytes, None]:
    """The ZIP, piece by piece. Raises BucketUnavailable where a picture breaks off in the middle."""
    outbox = Outbox()
    with zipfile.ZipFile(outbox, "w", allowZip64=True) as archive:
        archive.writestr(_text("profile.json"), _json(await sync_to_async(_profile)(user)))
        texts = [
            ("edits.json", _edits_of(user), _as_json(edit_facts)),
            ("recipes.json", _recipes_of(user), _as_json(recipe_facts)),
            ("comments.json", _comments_of(user), _as_json(comment_facts)),
            ("links.json", _links_of(user), _as_json(link_facts)),
            ("reviews.json", _said_by(user), _as_json(said_facts)),
            ("notices.json", Notice.objects.filter(person=user).order_by("created_at"), _as_json(told.notice_facts)),
            ("notifications.json", _told(user), _as_json(told.notification_facts)),
            ("reports.json", told.reports_of(user), _as_json(told.report_facts)),
            ("decisions.json", told.decisions_about(user), _as_json(told.decision_facts)),
            ("ledger.csv", AllowanceEntry.objects.filter(user=user).order_by("pk"), _as_csv),
        ]
        for name, rows, written in texts:
            pieces = _add_rows(archive, name, rows, written, outbox)
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece
        pictures = _add_pictures(archive, user, outbox)
        async with aclosing(pictures):
            async for piece in pictures:
                yield piece
    yield outbox.take()


def _edits_of(user: "User") -> "QuerySet[GenerationJob]":
    return GenerationJob.objects.history_of(user).with_pictures().select_related("workspace")


def _recipes_of(user: "User") -> "QuerySet[Recipe]":
    mine = Recipe.objects.visible_to(user).filter(made_by=user).select_related("workspace")
    return mine.prefetch_related("versions").order_by("created_at", "pk")


def _comments_of(user: "User") -> "QuerySet[Comment]":
    there = Comment.objects.filter(workspace__memberships__user=user, workspace__trashed_at=None)
    mine = there.filter(made_by=user, deleted_at=None).select_related("workspace")
    return mine.prefetch_related("versions", "mentions__user").order_by("created_at", "pk")


def _links_of(user: "User") -> "QuerySet[Share]":
    mine = Share.objects.filter(made_by=user, workspace__memberships__user=user, workspace__trashed_at=None)
    return mine.select_related("workspace").order_by("created_at", "pk")


def _told(user: "User") -> "QuerySet[Notification]":
    return readable_by(user).select_related("workspace").order_by("created_at", "pk")


def _said_by(user: "User") -> "QuerySet[ApprovalEvent]":
    """What they did about approval where they still are, of pictures that they see there."""
    shown = Q(image__withheld_at=None) | Q(image__made_by=user)
    here = {"workspace__memberships__user": user, "workspace__trashed_at": None, "image__workspace": F("workspace")}
    rows = ApprovalEvent.objects.filter(shown, by=user, image__removed_at=None, **here)
    return rows.select_related("workspace").order_by("at", "pk")


def _pictures_of(user: "User") -> "QuerySet[Image]":
    """Those in the trash, too: they are still there. What moderation removed is not."""
    rows = Image.objects.filter(workspace__memberships__user=user, workspace__trashed_at=None, made_by=user)
    there = rows.filter(state=ImageState.READY, purged_at=None, removed_at=None).select_related("workspace")
    return there.order_by("-created_at", "-id")


async def _batches(rows: "QuerySet[Any]") -> AsyncIterator[list[Any]]:
    """The ids are read at once, the rows a batch at a time, and no connection is kept while the browser reads."""
    ids = await ask_database(lambda: list(rows.values_list("pk", flat=True)))
    for start in range(0, len(ids), BATCH):
        chosen = ids[start : start + BATCH]
        found = await ask_database(partial(_by_id, rows, chosen))
        yield [found[pk] for pk in chosen if pk in found]


def _by_id(rows: "QuerySet[Any]", chosen: list[Any]) -> dict[Any, Any]:
    return {row.pk: row for row in rows.filter(pk__in=chosen)}


async def _add_rows(
    archive: zipfile.ZipFile,
    name: str,
    rows: "QuerySet[Any]",
    written: Callable[[list[Any], bool], str],
    outbox: Outbox,
) -> AsyncGenerator[bytes, None]:
    """A text of many rows; `written` makes it of a batch, told whether it is the first, and of none at the end."""
    with archive.open(_text(name), "w") as file:
        first = True
        async for batch in _batches(rows):
            file.write(written(batch, first).encode())
            first = False
            yield outbox.take()
        file.write(written([], first).encode())


async def _add_pictures(archive: zipfile.ZipFile, user: "User", outbox: Outbox) -> AsyncGenerator[bytes, None]:
    """The list goes first, so that it need not be kept until the end; what was not to be had stands in another."""
    rows, names, taken = _pictures_of(user), {}, set[str]()

    def facts(image: Image) -> dict[str, Any]:
        names[image.pk] = unique_name(image.download_name, taken)
        return {"file": f"pictures/{names[image.pk]}", **picture_facts(image)}

    async with aclosing(_add_rows(archive, "pictures.json", rows, _as_json(facts), outbox)) as pieces:
        async for piece in pieces:
            yield piece
    missing = []
    async for batch in _batches(rows):
        for image in batch:
            name = names.get(image.pk)
            if name is None or not await ask_database(rows.filter(pk=image.pk).exists):  # removed meanwhile
                continue
            try:
                found = await bucket.open_stream_soon(keys.master_key(image.pk, image.master_ext))
            except (Missing, BucketUnavailable) as error:
                log.warning("Picture %s is not in an export: %s", image.pk, error)
                missing.append(name)
                continue
            info = entry(f"pictures/{name}", image.created_at)
            async with aclosing(add_object(archive, info, found, outbox.take)) as pieces:
                async for piece in pieces:
                    yield piece
    if missing:
        words = "These pictures could not be read just now. Try again later:\n"
        archive.writestr(_text("missing.txt"), words + "\n".join(missing) + "\n")


def _text(name: str) -> zipfile.ZipInfo:
    return entry(name, timezone.now(), compressed=True)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _as_json(facts: Callable[[Any], dict[str, Any]]) -> Written:
    """A list of objects, batch by batch."""

    def written(batch: list[Any], first: bool) -> str:
        begin = "[\n" if first else ",\n" if batch else ""
        return begin + ",\n".join(_json(facts(row)) for row in batch) + ("" if batch else "\n]\n")

    return written


def _as_csv(batch: list[AllowanceEntry], first: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    if first:
        out.write("\ufeff")  # so that spreadsheets read it as UTF-8
        writer.writerow(LINES)
    writer.writerows(_line(row) for row in batch)
    return out.getvalue()


def _line(row: AllowanceEntry) -> Iterator[object]:
    yield f"{row.month:%Y-%m}"
    yield row.workspace_id
    yield row.job_id
    yield row.kind
    yield row.pictures
    yield row.money
    yield row.created_at.isoformat()


def _profile(user: "User") -> dict[str, Any]:
    memberships = user.memberships.filter(workspace__trashed_at=None).select_related("workspace")
    facts = {
        "email": user.email,
        "name": user.name,
        "since": user.date_joined.isoformat(),
        "workspaces": [
            {
                "id": str(each.workspace_id),
                "name": each.workspace.name,
                "role": each.role,
                "since": each.created_at.isoformat(),
            }
            for each in memberships.order_by("created_at")
        ],
        "told": [
            {"about": each.about, "in_portal": each.in_portal, "by_mail": each.by_mail} for each in choices_of(user)
        ],
        "favourites": [str(pk) for pk in user.favourites.values_list("image_id", flat=True)],
    }
    leave_database()
    return facts


def edit_facts(job: GenerationJob) -> dict[str, Any]:
    """What was asked for and what came of it."""
    names = ("prompt", "negative_prompt", "ratio", "width", "height", "samples", "strength", "seed")
    return {
        "id": str(job.pk),
        "workspace": job.workspace.name,
        "state": job.state,
        "failure": job.failure_code,
        "created_at": job.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "run_again_of": str(job.rerun_of_id) if job.rerun_of_id else None,
        **{name: getattr(job, name) for name in names},
        "sources": [str(image.pk) for image in job.source_images],
        "results": [str(image.pk) for image in job.results.all()],
    }


def recipe_facts(recipe: Recipe) -> dict[str, Any]:
    """What it says in each of its versions, the newest first."""
    return {
        "id": str(recipe.pk),
        "workspace": recipe.workspace.name,
        "name": recipe.name,
        "shared": recipe.shared,
        "created_at": recipe.created_at.isoformat(),
        "versions": [
            {"number": each.number, "created_at": each.created_at.isoformat(), "steps": each.steps}
            for each in recipe.versions.all()
        ],
    }


def comment_facts(comment: Comment) -> dict[str, Any]:
    """What it says and said before, with the names of those whom it calls."""
    names = names_in(comment.mentions.all())
    return {
        "id": str(comment.pk),
        "workspace": comment.workspace.name,
        "picture": str(comment.image_id),
        "answer_to": str(comment.thread_id) if comment.thread_id else None,
        "point": [comment.x, comment.y] if comment.x is not None else None,
        "created_at": comment.created_at.isoformat(),
        "text": with_names(comment.text, names),
        "earlier": [
            {"text": with_names(each.text, names), "until": each.replaced_at.isoformat()}
            for each in comment.versions.all()
        ],
    }


def link_facts(share: Share) -> dict[str, Any]:
    """What it shows to people outside and until when; neither its address nor its password, which open it."""
    names = ("title", "kind", "may_download", "shows_prompts", "watermark", "may_comment", "may_decide", "views")
    return {
        "workspace": share.workspace.name,
        "picture": str(share.image_id) if share.image_id else None,
        "before": str(share.before_id) if share.before_id else None,
        "collection": str(share.collection_id) if share.collection_id else None,
        "created_at": share.created_at.isoformat(),
        "expires_at": share.expires_at.isoformat() if share.expires_at else None,
        "revoked_at": share.revoked_at.isoformat() if share.revoked_at else None,
        "has_a_password": bool(share.password),
        **{name: getattr(share, name) for name in names},
    }


def said_facts(event: ApprovalEvent) -> dict[str, Any]:
    """One thing that they did about a picture's approval."""
    return {
        "picture": str(event.image_id),
        "workspace": event.workspace.name,
        "what": event.kind,
        "why": event.why,
        "at": event.at.isoformat(),
    }


def picture_facts(image: Image) -> dict[str, Any]:
    names = ("name", "kind", "width", "height", "description", "alt_text", "licence", "credit", "consent", "sandbox")
    return {
        "id": str(image.pk),
        "workspace": image.workspace.name,
        "created_at": image.created_at.isoformat(),
        "made_by_edit": str(image.job_id) if image.job_id else None,
        "in_the_trash": image.trashed_at is not None,
        "usable_until": image.usable_until.isoformat() if image.usable_until else None,
        **{name: getattr(image, name) for name in names},
    }
