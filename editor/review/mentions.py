"""Members called by name in a text: kept as "@[<id>]", and shown by the name that they have now."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from editor.models import Comment, CommentVersion, Mention, User
from editor.models.users import DELETED

if TYPE_CHECKING:
    from django.db.models import QuerySet

MENTIONS_MAX = 20  # people in one comment
SUGGESTED = 8
CALL = re.compile(r"@\[(\d{1,18})\]")
A_MEMBER = "A member"


def members_of(workspace_id: UUID) -> "QuerySet[User]":
    """Whom a comment in this workspace may call: who is in it and can sign in."""
    return User.objects.filter(memberships__workspace=workspace_id, is_active=True)


def suggested(workspace_id: UUID, words: str) -> list[User]:
    """Members whose name holds these words, those first whose name begins with them; SUGGESTED at most."""
    found = [user for user in members_of(workspace_id) if words.casefold() in user.get_short_name().casefold()]
    found.sort(key=lambda user: _place(user.get_short_name().casefold(), words.casefold()))
    return found[:SUGGESTED]


def _place(name: str, words: str) -> tuple[bool, str]:
    return not name.startswith(words), name


def with_ids(text: str, people: Iterable[User], chosen: Iterable[int] = ()) -> tuple[str, list[User]]:
    """The text with "@[<id>]" where it said "@Name" of one of `people`, and who that is.

    Of namesakes those are called that stand in `chosen`, in its order; without any of them there, nobody is.
    """
    called: dict[int, User] = {}
    named: dict[str, list[User]] = defaultdict(list)
    for user in people:
        named[user.get_short_name().casefold()].append(user)
    order = list(chosen)
    for namesakes in named.values():
        if len(namesakes) > 1:
            namesakes[:] = sorted((u for u in namesakes if u.pk in order), key=lambda user: order.index(user.pk))

    def put_id(match: re.Match[str]) -> str:
        namesakes = named.get(match[1].casefold())
        if not namesakes:
            return match[0]
        user = namesakes.pop(0) if len(namesakes) > 1 else namesakes[0]
        called[user.pk] = user
        return f"@[{user.pk}]"

    names = sorted(filter(None, named), key=len, reverse=True)
    if "@" not in text or not names:
        return text, []
    # Not behind a letter: what follows the sign in an address of e-mail is nobody's name.
    pattern = rf"(?<!\w)@({'|'.join(map(re.escape, names))})(?!\w)"
    return re.sub(pattern, put_id, text, flags=re.IGNORECASE), list(called.values())


def with_names(text: str, names: Mapping[int, str]) -> str:
    """The way back, for those whose names are known."""
    return CALL.sub(lambda match: f"@{names[int(match[1])]}" if int(match[1]) in names else match[0], text)


def name_of(user: User, *, outside: bool = False) -> str:
    """What a person is called; to somebody outside never by a part of their address, which stands in for a name."""
    if outside and not user.anonymised_at:
        return user.name or A_MEMBER
    return user.get_short_name()


def forget_mentions(user: User) -> None:
    """Of somebody whose account is deleted: nothing leads to them any more, and nobody reads their name."""
    sign, left = f"@[{user.pk}]", f"@{DELETED}"
    mine = Mention.objects.filter(user=user)
    for comment in Comment.objects.filter(pk__in=mine.values("comment"), text__contains=sign):
        Comment.objects.filter(pk=comment.pk).update(text=comment.text.replace(sign, left))
    for version in CommentVersion.objects.filter(comment__in=mine.values("comment"), text__contains=sign):
        CommentVersion.objects.filter(pk=version.pk).update(text=version.text.replace(sign, left))
    mine.delete()
