"""The end of an account: what stands in its way, and what becomes of everything that hangs on it."""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from editor.access import editable_workspaces
from editor.jobs.abandoned import cancel_of
from editor.models import (
    Culling,
    Favourite,
    FormerMember,
    Image,
    Invitation,
    LastOwner,
    MailedSubject,
    Membership,
    Notice,
    Notification,
    Recipe,
    Role,
    SavedFilter,
    Share,
    ToldBy,
    User,
    Workspace,
    WorkspaceInvitation,
)
from editor.models.chosen import chosen
from editor.moderation.reports import forget_words
from editor.review.mentions import forget_mentions

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = logging.getLogger(__name__)


class LastAdministrator(Exception):  # noqa: N818  it says what is the matter
    """Nobody could look after the portal any more."""


def is_last_administrator(user: User) -> bool:
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    return user.is_superuser and not others.exists()


def only_owned_by(user: User) -> "QuerySet[Workspace]":
    """Teams that nobody would own any more; those in the trash go by themselves."""
    mine = Membership.objects.filter(user=user, role=Role.OWNER).values("workspace")
    others = Membership.objects.filter(role=Role.OWNER).exclude(user=user).values("workspace")
    teams = Workspace.objects.filter(personal_for=None, trashed_at=None, pk__in=mine)
    return teams.exclude(pk__in=others).order_by("name")


def delete_account(user: User, *, trash_made: bool = False) -> None:
    """Make a person a number. Edits, their costs and where pictures come from stay true; nothing leads back.

    The personal workspace is left to the clock, which purges it at its next go. What was made in teams stays with
    them, or with `trash_made` goes into their trash. Edits under way are canceled. Nothing happens the second time.
    Of recipes those stay that are shared. What the person said about pictures of teams stays without their name. Links
    to pictures that the person made are revoked.

    Raises LastOwner, LastAdministrator.
    """
    with transaction.atomic():
        # In this order, as wherever a person and workspaces are locked: no edit is begun and no owner leaves meanwhile.
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if user.anonymised_at:
            return  # pressed twice
        mine = Membership.objects.filter(user=user).values("workspace")
        list(Workspace.objects.select_for_update(no_key=True).filter(pk__in=mine).order_by("pk"))
        if only_owned_by(user).exists():
            raise LastOwner
        if is_last_administrator(user):
            raise LastAdministrator
        if trash_made:
            _trash_made(user)
        _leave_workspaces(user)
        _forget_traces(user)
        _anonymise(user)
    # Should this process die here, the clock cancels what is left.
    cancel_of(user)
    log.info("Account %s was deleted by its owner.", user.pk)


def _trash_made(user: User) -> None:
    teams = editable_workspaces(user).filter(personal_for=None)
    made = Image.objects.filter(made_by=user, workspace__in=teams.values("pk"), trashed_at=None)
    Image.objects.filter(pk__in=made.hold_unlocked()).update(trashed_at=timezone.now())


def _leave_workspaces(user: User) -> None:
    """The own one goes into the trash as if it had lain there for its time: there is no way back."""
    long_ago = timezone.now() - timedelta(days=chosen.TRASH_DAYS)
    own = Workspace.objects.filter(personal_for=user)
    own.update(personal_for=None, name="Deleted account", trashed_at=long_ago)
    Membership.objects.filter(user=user).delete()
    FormerMember.objects.filter(user=user).delete()


def _forget_traces(user: User) -> None:
    """Rows that hold the address or are the person's own business alone."""
    Favourite.objects.filter(user=user).delete()
    SavedFilter.objects.filter(user=user).delete()
    Culling.objects.filter(user=user).delete()
    Recipe.objects.filter(Q(shared=False) | Q(put_away_at__isnull=False), made_by=user).delete()
    Share.objects.filter(made_by=user).revoke(by=user)
    Notice.objects.filter(person=user).delete()
    for told in (Notification, MailedSubject, ToldBy):
        told.objects.filter(person=user).delete()
    Notification.objects.filter(by=user).update(words="")  # they hold the name
    forget_words(user)
    forget_mentions(user)
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    Invitation.objects.filter(email=user.email).delete()
    WorkspaceInvitation.objects.filter(email__iexact=user.email).delete()
    about = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    about.update(object_repr="Deleted account")


def _anonymise(user: User) -> None:
    """No password fits any more, and with it every session is over, on this and all other browsers."""
    user.email = f"deleted-{uuid4().hex}"
    user.name = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.anonymised_at = timezone.now()
    user.last_login = None
    user.last_workspace = None
    user.notices_unseen = user.notifications_unseen = 0
    user.set_unusable_password()
    user.save()
    user.groups.clear()
    user.user_permissions.clear()
