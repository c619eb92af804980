"""Rules that let old pictures go: what would go, trying it dry, and the clock's passes.

A picture goes into the trash, where it stays for its time and can be put back; the person who made it is told. What
somebody chose, works with, or needs in order to understand what is kept never goes: see `kept_by`.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce
from django.utils import timezone

from editor import events
from editor.images import bucket, keys
from editor.jobs.retention_notices import tell
from editor.models import (
    FINAL,
    OPEN,
    Approval,
    ApprovalState,
    CollectionItem,
    Favourite,
    GenerationJob,
    Image,
    ImageKind,
    ImageState,
    JobSource,
    JobState,
    Listed,
    ModerationCase,
    Retained,
    RetentionPass,
    RetentionRule,
    Retired,
    Review,
    ReviewState,
    Share,
    User,
    Workspace,
)
from editor.moderation import audit

EVERY = timedelta(days=1)  # from one pass of a rule to the next
FRESH = timedelta(days=1)  # a dry run that is older has to be made again
AT_ONCE = 50  # pictures of one step
UNTRIED = {"tried_at": None, "looked_at": None, "tried_pictures": 0, "tried_size": 0}
SIZE = Coalesce(F("byte_size"), 0) + Coalesce(F("copies_size"), 0) + F("raw_size")


def going(rule: RetentionRule, as_of: datetime) -> QuerySet[Image]:
    """What the rule lets go, of the pictures that were old enough at that moment. Annotated with `goes`, in bytes."""
    images = Image.objects.filter(
        created_at__lte=as_of - timedelta(days=rule.days), trashed_at=None, purged_at=None, **_untouched()
    )
    if rule.workspace_id is not None:
        images = images.filter(workspace=rule.workspace_id)
    open_ones = Workspace.objects.filter(archived_at=None, trashed_at=None)
    images = images.filter(_chosen_by(Retained(rule.what)), workspace__in=open_ones)
    before = Retired.objects.filter(image=OuterRef("pk"), raw_only=rule.what == Retained.RAW)
    for rows in [*kept_by(as_of), before]:
        images = images.filter(~Exists(rows))
    return images.annotate(goes=_bytes(rule))


def _bytes(rule: RetentionRule) -> F | CombinedExpression:
    return F("raw_size") if rule.what == Retained.RAW else SIZE


def _untouched() -> dict[str, Any]:
    """Moderation has nothing to do with it, as far as its own columns tell."""
    return {"removed_at": None, "withheld_at": None, "quarantined_at": None}


def _chosen_by(what: Retained) -> Q:
    ready = Q(state=ImageState.READY)
    made = Q(job__state=JobState.SUCCEEDED)
    ended = Q(kind=ImageKind.GENERATED, job__state__in=sorted(FINAL - {JobState.SUCCEEDED}))
    return {
        Retained.UPLOADS: ready & Q(kind=ImageKind.UPLOADED),
        Retained.RESULTS: ready & Q(kind=ImageKind.GENERATED) & made,
        Retained.LEFTOVERS: Q(state=ImageState.REFUSED) | (ready & ended),
        Retained.RAW: ready & Q(raw_size__gt=0),
    }[what]


def kept_by(as_of: datetime) -> "list[QuerySet[Any]]":
    """Rows any of which keeps a picture: no rule ever takes it.

    Favourites of anybody; what lies in a collection or is the picture of a workspace; what an edit works with or makes;
    what moderation ever had to do with; what is approved (locked or not), in review, or to be replaced by what is; what
    an open link shows (a link to a collection: what lies in it is kept anyway); and what a picture that is kept was
    made from, with the upload that it descends from. A picture that went since `as_of` counts as kept, so that a pass
    takes what its dry run showed and no more.

    Each is asked for by itself: of one condition with many ways databases make a plan that reads all of them for each
    picture.
    """
    itself = OuterRef("pk")
    there = Q(trashed_at=None) | Q(trashed_at__gt=as_of)
    images = Image.objects.filter(there, state=ImageState.READY, purged_at=None)
    return [
        Favourite.objects.filter(image=itself),
        CollectionItem.objects.filter(image=itself),
        Workspace.objects.filter(cover=itself),
        JobSource.objects.filter(image=itself, job__state__in=sorted(OPEN)),
        GenerationJob.objects.filter(results=itself, state__in=sorted(OPEN)),
        ModerationCase.objects.filter(image=itself),
        Approval.objects.filter(image=itself, state__in=[ApprovalState.APPROVED, ApprovalState.IN_REVIEW]),
        Review.objects.filter(replaces=itself, state=ReviewState.OPEN),
        Share.objects.open_at(as_of).filter(image=itself),
        Share.objects.open_at(as_of).filter(before=itself),
        images.filter(job__sources__image=itself),
        images.filter(root=itself),
    ]


def try_dry(rule: RetentionRule, now: datetime) -> bool:
    """List and count what would go now; False if the rule is on or gone. Then somebody has to look at the list."""
    with transaction.atomic():
        held = _held(rule)
        if held is None or held.on_since is not None:
            return False
        _finish(list(RetentionPass.objects.filter(rule=rule, finished_at=None)))
        _write_list(held, now)
        found = _on_list(Image.objects.annotate(goes=_bytes(held)), held).aggregate(
            pictures=Count("pk"), size=Coalesce(Sum("goes"), 0)
        )
        RetentionRule.objects.filter(pk=rule.pk).update(
            tried_at=now, tried_pictures=found["pictures"], tried_size=found["size"], looked_at=None
        )
    rule.refresh_from_db()
    return True


def _held(rule: RetentionRule) -> RetentionRule | None:
    """The rule as it is now, locked until the transaction ends; None if it is gone. It is locked before its passes."""
    rows = RetentionRule.objects.select_for_update(of=("self",)).select_related("workspace")
    return rows.filter(pk=rule.pk, removed_at=None).first()


def _write_list(rule: RetentionRule, now: datetime) -> None:
    """In one statement, since there may be a hundred thousand; the oldest first."""
    Listed.objects.filter(rule=rule).delete()
    found, params = going(rule, now).order_by("created_at", "id").values("pk").query.sql_with_params()
    quote, table = connection.ops.quote_name, Listed._meta.db_table
    fields = {field.name: field for field in Listed._meta.concrete_fields}
    into = ", ".join(quote(str(fields[name].column)) for name in ("rule", "image"))
    key = fields["rule"].get_db_prep_save(rule.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(table)} ({into}) SELECT %s, found.* FROM ({found}) AS found",  # noqa: S608
            [key, *params],
        )
        if connection.vendor == "postgresql":  # or it takes a list that was just written for a short one
            cursor.execute(f"ANALYZE {quote(table)}")


def _on_list(images: QuerySet[Image], rule: RetentionRule) -> QuerySet[Image]:
    return images.filter(Exists(Listed.objects.filter(rule=rule, image=OuterRef("pk"))))


def listed(rule: RetentionRule) -> QuerySet[Image]:
    """What the dry run found, the oldest first; less what somebody has begun to use since."""
    if rule.tried_at is None:
        return Image.objects.none()
    images = _on_list(going(rule, rule.tried_at), rule)
    return images.select_related("workspace", "made_by").order_by("created_at", "id")


def looked(rule: RetentionRule) -> None:
    """Somebody saw the list."""
    RetentionRule.objects.filter(pk=rule.pk, tried_at=rule.tried_at, looked_at=None).update(looked_at=timezone.now())


def change(rule: RetentionRule, user: User, **fields: Any) -> None:
    """It says something else now: it is off, and has to be tried dry. One that is gone stays as it was."""
    with transaction.atomic():
        if _held(rule) is None:
            return
        _finish(list(RetentionPass.objects.select_for_update().filter(rule=rule, finished_at=None)))
        Listed.objects.filter(rule=rule).delete()
        RetentionRule.objects.filter(pk=rule.pk).update(**fields, **UNTRIED, on_since=None)
        rule.refresh_from_db()
        audit.record(user, "retention.changed", rule, described(rule))


def why_not(rule: RetentionRule, now: datetime) -> str:
    """What has to be done before it may be switched on; "" for nothing."""
    if rule.tried_at is None:
        return "Try it dry first."
    if rule.tried_at < now - FRESH:
        return "Its dry run is more than a day old: try it dry again."
    if rule.looked_at is None:
        return "Look at the list of what would go first."
    return ""


def switch_on(rule: RetentionRule, user: User, now: datetime) -> bool:
    """False if it was changed, or tried anew, meanwhile."""
    if why_not(rule, now) or rule.tried_at is None:
        return False
    with transaction.atomic():
        _held(rule)
        rows = RetentionRule.objects.filter(
            pk=rule.pk, on_since=None, removed_at=None, tried_at=rule.tried_at, looked_at__isnull=False
        )
        if not rows.filter(what=rule.what, days=rule.days, workspace=rule.workspace_id).update(on_since=now):
            return False
        # The first pass takes what the dry run showed.
        RetentionPass.objects.get_or_create(rule=rule, finished_at=None, defaults={"as_of": rule.tried_at})
        audit.record(user, "retention.on", rule, described(rule), pictures=rule.tried_pictures, bytes=rule.tried_size)
    return True


def switch_off(rule: RetentionRule, user: User, *, remove: bool = False) -> bool:
    """What is under way ends with the step that it is at. False if somebody else was faster."""
    with transaction.atomic():
        held = _held(rule)
        if held is None or (held.on_since is None and not remove):
            return False
        _finish(list(RetentionPass.objects.select_for_update().filter(rule=rule, finished_at=None)))
        if remove:
            Listed.objects.filter(rule=rule).delete()
        # What is left of a list may go when it is switched on again; one that is used up says nothing any more.
        said = {} if Listed.objects.filter(rule=rule).exists() else UNTRIED
        gone = {"removed_at": timezone.now()} if remove else {}
        RetentionRule.objects.filter(pk=rule.pk).update(on_since=None, **gone, **said)
        audit.record(user, "retention.removed" if remove else "retention.off", rule, described(rule))
    return True


def described(rule: RetentionRule) -> str:
    where = f" in {rule.workspace.name}" if rule.workspace else ""
    return f"{Retained(rule.what).label}{where}, {rule.age}"


def step(now: datetime) -> int:
    """For the clock: one step of each rule that is on. Returns how many pictures it looked at; AT_ONCE: there is more.

    Many clocks together do no harm: the row of the rule is locked while a step is made.
    """
    seen = 0
    for rule in RetentionRule.objects.filter(on_since__isnull=False, removed_at=None):
        with transaction.atomic():
            held = _held(rule)
            if held is not None and held.on_since is not None and (current := _current(held, now)) is not None:
                seen += _step(held, current)
    return seen


def _current(rule: RetentionRule, now: datetime) -> RetentionPass | None:
    """The pass that is under way, or a new one if it is time; locked."""
    latest = rule.passes.order_by("-started_at").first()
    if latest is None or (latest.finished_at is not None and latest.started_at <= now - EVERY):
        RetentionPass.objects.create(rule=rule, as_of=now)
    return RetentionPass.objects.select_for_update().filter(rule=rule, finished_at=None).first()


def _step(rule: RetentionRule, locked: RetentionPass) -> int:
    """Called with the pass locked. Pictures are locked, then looked at again: who just marked one keeps it.

    A first pass is led by its list alone, and crosses off what it looked at: a step costs the same however long it is.
    """
    there = going(rule, locked.as_of)
    on_list = Listed.objects.filter(rule=rule)
    if is_first := locked.as_of == rule.tried_at:
        chosen = list(on_list.order_by("pk").values_list("image", flat=True)[:AT_ONCE])
    else:
        chosen = list(there.order_by("created_at", "id").values_list("pk", flat=True)[:AT_ONCE])
    list(Image.objects.select_for_update(of=("self",)).filter(pk__in=chosen).order_by("pk").values_list("pk"))
    images = list(there.filter(pk__in=chosen))
    _let_go(images, locked, raw=rule.what == Retained.RAW)
    if is_first:
        on_list.filter(image__in=chosen).delete()
    if len(chosen) < AT_ONCE:
        _finish([locked])
    return len(chosen)


def _let_go(images: list[Image], locked: RetentionPass, *, raw: bool) -> None:
    ids = [image.pk for image in images]
    if raw:
        bucket.delete([keys.raw_key(pk) for pk in ids])
        Image.objects.filter(pk__in=ids).update(raw_size=0)
    else:
        Image.objects.filter(pk__in=ids).update(trashed_at=timezone.now())
    Retired.objects.bulk_create(Retired(image=image, by=locked, raw_only=raw) for image in images)
    size: int = sum(image.goes for image in images)  # type: ignore[attr-defined]  # annotated
    RetentionPass.objects.filter(pk=locked.pk).update(pictures=F("pictures") + len(images), size=F("size") + size)
    for image in images if not raw else []:
        events.image_changed(image.pk, image.made_by_id, image.workspace_id)


def _finish(passes: list[RetentionPass]) -> None:
    for each in passes:
        each.refresh_from_db()
        RetentionPass.objects.filter(pk=each.pk).update(finished_at=timezone.now())
        if not each.pictures:
            continue
        tell(each)
        audit.record(None, "retention.pass", each.rule, described(each.rule), pictures=each.pictures, bytes=each.size)
