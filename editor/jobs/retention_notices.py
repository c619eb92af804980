"""Telling people that a rule let pictures of theirs go."""

from collections import defaultdict
from typing import Any

from django.db.models import Count, F
from django.utils.text import get_text_list

from editor import rings
from editor.models import Notice, RetentionPass, Retired, User
from editor.models.chosen import chosen

NAMED = 3  # workspaces in a notice


def tell(done: RetentionPass) -> None:
    """Everybody whose pictures went into the trash is told how many, where, why, and how long they lie there."""
    rows = Retired.objects.filter(by=done, raw_only=False, image__made_by__anonymised_at=None)
    counts = rows.values_list("image__made_by", "image__workspace__name").annotate(pictures=Count("pk"))
    of_people: dict[Any, dict[str, int]] = defaultdict(dict)
    for person_id, name, pictures in counts.order_by("image__made_by", "-pictures", "image__workspace__name"):
        of_people[person_id][name] = of_people[person_id].get(name, 0) + pictures
    days = f"{chosen.TRASH_DAYS} day{'' if chosen.TRASH_DAYS == 1 else 's'}"
    for person_id, where in of_people.items():
        pictures = sum(where.values())
        what = "One of your pictures" if pictures == 1 else f"{pictures} of your pictures"
        notice = Notice.objects.create(
            person_id=person_id,
            headline=f"{what} went into the trash",
            words=(
                f"From {_named(list(where))}: this portal lets pictures go when they are {done.rule.age} and nobody "
                f"keeps them. They lie in the trash for {days}. What you put back stays, and a favourite or a picture "
                "in a collection never goes."
            ),
        )
        User.objects.filter(pk=person_id).update(notices_unseen=F("notices_unseen") + 1)
        rings.ring_notice(notice.pk)


def _named(workspaces: list[str]) -> str:
    """The first ones, and how many others."""
    if (others := len(workspaces) - NAMED) > 0:
        workspaces = [*workspaces[:NAMED], f"{others} other workspace{'' if others == 1 else 's'}"]
    return get_text_list(workspaces, "and")
