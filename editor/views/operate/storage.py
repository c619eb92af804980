"""What the pictures take, and what in the bucket fits to no row."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.doctor import daily
from editor.images.bucket import BucketUnavailable
from editor.jobs import storage as counting
from editor.models import BucketRound, RetentionRule, StorageUse
from editor.moderation import audit
from editor.views.frame import PersonRequest
from editor.views.operate.frame import operating, page

PER_PAGE = 25
KINDS = (
    ("Uploads", "uploads_size", "uploads", "The masters of what people uploaded."),
    ("Results", "results_size", "results", "The masters of what edits made."),
    ("Smaller copies", "copies_size", "", "For pages and for the flux server, and what is kept as it came."),
    ("Trash", "trash_size", "trash", "Everything of what lies in the trash."),
    ("Quarantine", "quarantine_size", "quarantine", "Everything of what moderation removed."),
)  # fmt: skip


@require_safe
@operating
def storage(request: PersonRequest) -> HttpResponse:
    """All of it, the workspaces that take the most, the rules, and the last look at the bucket."""
    together = StorageUse.objects.filter(workspace=None).first()
    place = _place(request.GET.get("after", ""))
    largest = counting.largest(place, PER_PAGE + 1)
    rules = RetentionRule.objects.filter(removed_at=None).select_related("workspace").order_by("created_at")
    context = {
        "together": together,
        "parts": parts_of(together) if together else [],
        "largest": [(use, shares_of(use)) for use in largest[:PER_PAGE]],
        "further": largest[PER_PAGE - 1].pk if len(largest) > PER_PAGE else None,
        "first_page": place is None,
        "rules": rules,
        "found": daily.latest(),
        "looking": BucketRound.objects.filter(finished_at=None).first(),
    }
    return page(request, "operate/storage.html", "operate_storage", context)


def _place(text: str) -> StorageUse | None:
    known = text.isascii() and text.isdigit() and len(text) < 18
    return StorageUse.objects.filter(pk=int(text), workspace__isnull=False).first() if known else None


def parts_of(use: StorageUse) -> list[dict[str, Any]]:
    """Kind by kind: its name, bytes, pictures, and where its piece of the bar lies (of 1000)."""
    found, left = [], 0.0
    for number, (name, size, pictures, says) in enumerate(KINDS, start=1):
        width = getattr(use, size) * 1000 / use.size if use.size else 0.0
        piece = {"series": number, "name": name, "says": says, "x": round(left, 2), "width": round(width, 2)}
        found.append(piece | {"size": getattr(use, size), "pictures": getattr(use, pictures) if pictures else None})
        left += width
    return found


def shares_of(use: StorageUse) -> list[int]:
    return [getattr(use, size) for _, size, _, _ in KINDS]


@require_POST
@operating
def storage_look(request: PersonRequest) -> HttpResponse:
    """Look at all objects now; a worker does it."""
    daily.begin()
    messages.success(request, "A worker looks at all objects of the bucket. Come back in some minutes.")
    return redirect("operate_storage")


@require_http_methods(["GET", "HEAD", "POST"])
@operating
def strays(request: PersonRequest) -> HttpResponse:
    """The list of objects without a row, before they are deleted and while they are."""
    found = daily.latest()
    if request.method == "POST":
        return _delete(request, found)
    context = {
        "found": found,
        "too_many": found is not None and daily.too_many(found),
        "objects": found.found.exclude(key="").order_by("pk")[: daily.MOST_FOUND] if found else [],
        "missing": found.found.filter(key="").select_related("image__workspace").order_by("pk") if found else [],
    }
    return page(request, "operate/strays.html", "operate_storage", context)


def _delete(request: PersonRequest, found: BucketRound | None) -> HttpResponse:
    """Only what the list that was shown has: a later one has to be looked at first."""
    if found is None or request.POST.get("round") != str(found.pk):
        messages.error(request, "The bucket was looked at again meanwhile. Look at the new list first.")
        return redirect("operate_strays")
    if found.found.exclude(key="").exists() and daily.too_many(found):
        messages.error(request, "Nothing was deleted: these are too many. The database is probably the wrong one.")
        return redirect("operate_strays")
    try:
        with transaction.atomic():
            deleted = daily.delete_strays(found)
            if deleted is not None:
                gone, size = deleted
                audit.record(request.user, "strays.deleted", words="Objects without a row.", objects=gone, bytes=size)
    except BucketUnavailable:
        messages.error(request, "The bucket does not answer just now. Try again in a minute.")
        return redirect("operate_strays")
    if deleted is None:
        messages.info(request, "Nothing was left to delete: somebody else did it meanwhile.")
    else:
        messages.success(request, f"{gone} objects were deleted." if gone != 1 else "1 object was deleted.")
    return redirect("operate_storage")


def known_workspace(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
