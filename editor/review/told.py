"""Who is told about a comment: each person once, for the best of the reasons that there are."""

from editor.models import About, Comment, Image, User
from editor.notifications import tell
from editor.review.held import named
from editor.review.mentions import members_of


def tell_of(comment: Comment, image: Image, called: list[User], *, only_called: bool = False) -> None:
    """Those whom it calls, who took part in its thread, whose picture it is, and who sent a guest the link.

    `only_called`: it was changed, and the others know of it. `image` is that of the comment, with `made_by`.
    """
    told = {user.pk: _MENTIONED for user in called}
    if not only_called:
        if comment.share is not None:
            told.setdefault(comment.share.made_by_id, _BY_GUEST)
        for pk in _took_part(comment):
            told.setdefault(pk, _ANSWERED)
        told.setdefault(image.made_by_id, _COMMENTED)
    told.pop(comment.made_by_id or 0, None)
    who = comment.made_by.get_short_name() if comment.made_by else f"{comment.guest_name} (guest)"
    for user in members_of(comment.workspace_id).filter(pk__in=told).order_by("pk"):
        about, words = told[user.pk]
        tell(
            user,
            about,
            f"image:{image.pk}",
            words.format(who=who, picture=named(image)),
            by=comment.made_by,
            guest_name=comment.guest_name,
            workspace=comment.workspace,
            image=image,
            comment=comment,
            share=comment.share,
        )


_MENTIONED = (About.MENTION, "{who} mentions you in a comment on {picture}.")
_BY_GUEST = (About.GUEST, "{who} comments on {picture}.")
_ANSWERED = (About.COMMENT, "{who} answers in a thread about {picture}.")
_COMMENTED = (About.COMMENT, "{who} comments on {picture}.")


def _took_part(comment: Comment) -> set[int]:
    """Members who said something in the thread before; what they deleted does not count."""
    if comment.thread_id is None:
        return set()
    thread = Comment.objects.filter(pk=comment.thread_id) | Comment.objects.filter(thread=comment.thread_id)
    said = thread.filter(deleted_at=None, made_by__isnull=False).exclude(pk=comment.pk)
    return {pk for pk in said.values_list("made_by", flat=True) if pk is not None}
