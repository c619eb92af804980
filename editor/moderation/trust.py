"""What is known of people, and what follows from it: whose new pictures are looked at before others may see them."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from editor.models import Action, Decision, Image, ImageState, Trust, User, Workspace

GROWN_AFTER = timedelta(days=7)
GROWN_WITH = 20  # pictures
MOST_AT_ONCE = 500  # people


def looked_at_first(user: User, workspace: Workspace) -> bool:
    """Whether a picture that this person brings here waits for a look. In a personal workspace nobody else sees it."""
    return not workspace.is_personal and user.trust in settings.WITHHOLD_TRUST


def grow() -> int:
    """new → normal for those who have been here for a week with twenty pictures and nothing decided against them.

    Returns how many; at most MOST_AT_ONCE, so that the clock goes on.
    """
    theirs = Image.objects.filter(made_by=OuterRef("pk"), state=ImageState.READY, removed_at=None).order_by()
    against = Decision.objects.filter(person=OuterRef("pk"), replaced_by=None).exclude(actions=[Action.FINE])
    grown = User.objects.filter(
        Exists(theirs[GROWN_WITH - 1 : GROWN_WITH]),
        ~Exists(against),
        Q(is_active=True),
        trust=Trust.NEW,
        date_joined__lte=timezone.now() - GROWN_AFTER,
    )
    ids = list(grown.values_list("pk", flat=True)[:MOST_AT_ONCE])
    return User.objects.filter(pk__in=ids, trust=Trust.NEW).update(trust=Trust.NORMAL)
