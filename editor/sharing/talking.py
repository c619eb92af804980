"""What guests read of what was said about a picture, and where it stands; as their link says."""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from editor.models import Approval, ApprovalEvent, ApprovalState, Comment, Image, Share
from editor.review.rounds import approval_of

COOKIE = "guest"
COMMENTS_LOOKED_AT = 200
NAME_KEPT = 30 * 24 * 3600  # seconds
DECISIONS_KEPT = 100  # in a cookie, which may be 4 KB
_WORDS = {
    ApprovalState.APPROVED: "Approved",
    ApprovalState.REJECTED: "Rejected",
    ApprovalState.IN_REVIEW: "In review",
    ApprovalState.DRAFT: "Not decided yet",
}


@dataclass(frozen=True)
class Guest:
    """Somebody outside, as far as their browser tells."""

    name: str = ""  # as they wrote it; nobody vouches for it
    decided: tuple[int, ...] = ()  # what they said of pictures at this link: its events, the newest last


@dataclass(frozen=True)
class Talk:
    """What is said about a picture and where it stands, for one guest."""

    guest_name: str
    standing: Approval | None  # None where guests have no say in it
    mine: ApprovalEvent | None  # what this guest said of that last
    decided_by: str  # the name of the guest of this link who decided it; of other links nobody is named
    said: tuple[object, ...]  # changes with what guests read of comments

    @property
    def words(self) -> str:
        return _WORDS[ApprovalState(self.standing.state)] if self.standing else ""

    @property
    def stamp(self) -> tuple[object, ...]:
        """Changes with whatever of it is shown."""
        row = self.standing
        decided = (row.state, self.decided_by, row.at) if row else ()
        return decided, self.mine.pk if self.mine else None, self.said


def talk_of(share: Share, image: Image, guest: Guest) -> Talk:
    standing = approval_of(image) if share.may_decide else None
    mine, decided_by = _decided_last(share, image, guest), _guest_who_decided(share, standing)
    return Talk(guest.name, standing, mine, decided_by, _comments(share, image))


def _guest_who_decided(share: Share, standing: Approval | None) -> str:
    if standing is None or not standing.guest_name:
        return ""
    said = ApprovalEvent.objects.filter(image=standing.image_id, workspace=standing.workspace_id, at=standing.at)
    return standing.guest_name if said.filter(share=share, guest_name=standing.guest_name).exists() else ""


def _comments(share: Share, image: Image) -> tuple[object, ...]:
    """Those that `threads_of` shows to guests, in one query."""
    if not share.may_comment:
        return ()
    theirs = Q(share=share, thread=None) | Q(thread__share=share)
    rows = Comment.objects.filter(theirs, image=image, workspace=image.workspace_id).order_by("-created_at", "-pk")
    return tuple(rows.values_list("pk", "edited_at", "deleted_at", "resolved_at")[:COMMENTS_LOOKED_AT])


def _decided_last(share: Share, image: Image, guest: Guest) -> ApprovalEvent | None:
    """By browser, not by name: two guests may have the same one, and reasons are for the team."""
    if not share.may_decide or not guest.decided:
        return None
    said = ApprovalEvent.objects.filter(pk__in=guest.decided, image=image, share=share)
    return said.order_by("-at", "-id").first()


def decided_just_now(share: Share, image: Image, guest_name: str, why: str) -> int | None:
    """What a guest just said of a picture: its event, for `remember`."""
    kinds = (ApprovalEvent.Kind.APPROVED, ApprovalEvent.Kind.REJECTED)
    said = ApprovalEvent.objects.filter(image=image, share=share, guest_name=guest_name, why=why, kind__in=kinds)
    return said.order_by("-at", "-id").values_list("pk", flat=True).first()


def guest_at(request: HttpRequest, share: Share) -> Guest:
    """As this browser was told to remember."""
    try:
        name, *decided = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_salt(share), max_age=NAME_KEPT)
    except (signing.BadSignature, ValueError):
        return Guest()
    return Guest(str(name), tuple(decided))


def remember(response: HttpResponseBase, share: Share, guest: Guest) -> None:
    """As JSON in letters that every cookie may hold."""
    response.set_cookie(
        COOKIE,
        signing.dumps([guest.name, *guest.decided[-DECISIONS_KEPT:]], salt=_salt(share)),
        max_age=NAME_KEPT,
        path=reverse("shared", args=[share.token]),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _salt(share: Share) -> str:
    return f"guest 2:{share.pk}"
