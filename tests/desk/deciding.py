"""A moderator, and deciding without a page."""

from typing import Any

from django.contrib.auth.models import Permission

from editor.desk import decisions
from editor.models import Action, Cause, Decision, Image, ModerationCase, User
from editor.moderation.cases import open_case
from tests.people import make_person


def make_moderator(name: str) -> User:
    user = make_person(name)
    user.user_permissions.add(Permission.objects.get(codename="moderate", content_type__app_label="editor"))
    return user


def case_about(image: Image, cause: Cause = Cause.CLASSIFIER) -> ModerationCase:
    return open_case(cause, image.made_by, image=image)


def decide(moderator: User, case: ModerationCase, *actions: Action, **said: Any) -> Decision:
    """With a reason, if none is given."""
    said.setdefault("reason", "Against the rules.")
    return decisions.decide(moderator, [case.pk], actions, **said)[0]
