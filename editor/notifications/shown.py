"""What notifications say and where they lead. Who may not see a picture any more reads nothing of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import apnumber
from django.db.models import F, Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.text import Truncator

from editor.models import About, Image, Membership, Notification, Review, ReviewState, User

RELATED = ("by", "workspace", "image", "comment", "review", "share", "batch")
HIDDEN = "Something that you can’t see any more."
MANY = {
    About.MENTION: "{who} mentioned you on {what}",
    About.COMMENT: "{who} commented on {what}",
    About.REVIEW_ASKED: "{who} asked for your review of {what}",
    About.REVIEW_DECIDED: "{who} decided on {what}",
    About.GUEST: "{who} commented or decided on {what}",
    About.BATCH: "News of {what}",
}


@dataclass(frozen=True)
class Line:
    """What was told about one subject and of one kind, however often: the newest leads on."""

    rows: Sequence[Notification]  # newest first
    is_shown: bool

    @property
    def newest(self) -> Notification:
        return self.rows[0]

    @property
    def unseen(self) -> bool:
        return any(row.seen_at is None for row in self.rows)

    @property
    def sentence(self) -> str:
        if not self.is_shown:
            return HIDDEN
        if len(self.rows) == 1 and self.newest.words:
            return self.newest.words
        return MANY[About(self.newest.about)].format(who=_who(self.rows), what=title_of(self.newest))


@dataclass(frozen=True)
class Group:
    """All that was told about one subject, as far as a page has it."""

    subject: str
    lines: Sequence[Line]

    @property
    def newest(self) -> Notification:
        return self.lines[0].newest

    @property
    def unseen(self) -> bool:
        return any(line.unseen for line in self.lines)

    @property
    def is_shown(self) -> bool:
        return any(line.is_shown for line in self.lines)

    @property
    def title(self) -> str:
        return next((title_of(line.newest) for line in self.lines if line.is_shown), "")

    @property
    def image(self) -> Image | None:
        return next((line.newest.image for line in self.lines if line.is_shown), None)


def grouped(person: User, rows: Sequence[Notification]) -> list[Group]:
    """Of rows with their RELATED ones, newest first: by subject and kind, what is hidden apart from what is not."""
    shown = shown_to(person, rows)
    found: dict[str, dict[tuple[str, bool], list[Notification]]] = {}
    for row in rows:
        found.setdefault(row.subject, {}).setdefault((row.about, row.pk in shown), []).append(row)
    return [
        Group(subject, [Line(several, is_shown) for (_, is_shown), several in kinds.items()])
        for subject, kinds in found.items()
    ]


def of_shown_picture(user: User) -> Q:
    """Rows of a picture that is shown to the person and lies where the row was written, as `Image.objects.shown_to`."""
    kept_back = Q(image__withheld_at=None) | Q(image__made_by=user)
    return kept_back & Q(image__workspace=F("workspace"), image__trashed_at=None, image__removed_at=None)


def readable_by(person: User) -> QuerySet[Notification]:
    """All that the person was told and may see now; the same as `shown_to`, asked of the database."""
    mine = Notification.objects.filter(person=person, workspace__memberships__user=person, workspace__trashed_at=None)
    there = Q(image=None) | of_shown_picture(person)
    return mine.filter(there, Q(comment=None) | Q(comment__deleted_at=None))


def shown_to(person: User, rows: Iterable[Notification]) -> set[int]:
    """The ids of those rows whose content the person may see now. Three queries at most."""
    rows = list(rows)
    spaces = set(
        Membership.objects.filter(
            user=person, workspace__in={row.workspace_id for row in rows}, workspace__trashed_at=None
        ).values_list("workspace", flat=True)
    )
    images = dict(
        Image.objects.visible_to(person)
        .filter(pk__in={row.image_id for row in rows if row.image_id})
        .values_list("pk", "workspace")
    )
    return {
        row.pk
        for row in rows
        if row.workspace_id in spaces
        and (row.image_id is None or images.get(row.image_id) == row.workspace_id)
        and (row.comment is None or row.comment.deleted_at is None)
    }


def is_worth_a_mail(row: Notification) -> bool:
    """Nobody is asked by mail for a review that is over."""
    review: Review | None = row.review
    return row.about != About.REVIEW_ASKED or review is None or review.state == ReviewState.OPEN


def title_of(row: Notification) -> str:
    """What it is about, as its name says; a name for what has none."""
    if row.image is not None:
        return row.image.name or "a picture"
    if row.batch is not None:
        return Truncator(row.batch.prompt).chars(60) or "a batch"
    if row.share is not None:
        return row.share.title or "a shared link"
    return row.workspace.name if row.workspace is not None else ""


def place_of(row: Notification) -> str:
    """The path of the page that it is about."""
    return next(filter(None, (_path(*place) for place in _places(row))), reverse("studio"))


def _places(row: Notification) -> Iterator[tuple[str, list[object]]]:
    """Addresses by name, the best first."""
    if row.comment_id is not None:
        yield "comment", [row.comment_id]
    if row.review_id is not None:
        yield "review", [row.review_id]
    if row.image_id is not None:
        yield "picture", [row.image_id]
    if row.batch_id is not None:
        yield "batch", [row.batch_id]
    if row.share_id is not None:
        yield "shares", [row.workspace_id]
    if row.workspace_id is not None:
        yield "workspace", [row.workspace_id]


def _path(name: str, args: list[object]) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _who(rows: Iterable[Notification]) -> str:
    """Anna; Anna and Ben; Anna and two others. The one who did something last stands first."""
    names = list(dict.fromkeys(_name(row) for row in rows))
    if len(names) <= 2:
        return " and ".join(names)
    return f"{names[0]} and {apnumber(len(names) - 1)} others"


def _name(row: Notification) -> str:
    if row.by is not None:
        return row.by.get_short_name()
    return f"{row.guest_name} (guest)" if row.guest_name else "Somebody"
