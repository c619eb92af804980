"""Workspaces own pictures and jobs; memberships say who is in them, invitations who may come in."""

import secrets
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from editor.models.chosen import chosen

if TYPE_CHECKING:
    from editor.models.images import Image
    from editor.models.users import User


class Role(models.TextChoices):
    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"
    OWNER = "owner"


RANK = {role: rank for rank, role in enumerate([Role.VIEWER, Role.EDITOR, Role.ADMIN, Role.OWNER])}


def restorable() -> timedelta:
    """How long a workspace in the trash may be put back: an hour less than it lies there.

    So nobody puts it back just as the clock begins to purge it.
    """
    return timedelta(days=chosen.TRASH_DAYS) - timedelta(hours=1)


OWNED_MAX = 50
"""Teams that one person may own before they found another one."""


class TooManyWorkspaces(Exception):  # noqa: N818  it says what is the matter
    """The person owns OWNED_MAX teams already."""


class LastOwner(Exception):  # noqa: N818  it says what is the matter
    """Nobody would own the workspace any more."""


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    def of(self, user: "User") -> "WorkspaceQuerySet":
        """Those that the person is in, the personal one first; not those in the trash. `my_role`: as what."""
        mine = self.filter(memberships__user=user, trashed_at=None).annotate(my_role=F("memberships__role"))
        return mine.select_related("cover").order_by(
            F("personal_for").asc(nulls_last=True), F("archived_at").asc(nulls_first=True), "name"
        )

    def trashed_of(self, user: "User") -> "WorkspaceQuerySet":
        """What the person may put back: in the trash, its pictures still there, and their own."""
        own = self.filter(memberships__user=user, memberships__role=Role.OWNER)
        return own.filter(trashed_at__gt=timezone.now() - restorable(), purged_at=None).order_by("-trashed_at")

    def alive(self) -> "WorkspaceQuerySet":
        """Teams whose pictures are not purged; also those in the trash."""
        return Workspace.objects.filter(personal_for=None, purged_at=None)

    def personal_of(self, user: "User") -> "Workspace":
        """The person's own workspace, made when it is first asked for."""
        workspace = self.filter(personal_for=user).first()
        if workspace is None:
            with transaction.atomic():
                workspace, _ = self.get_or_create(personal_for=user, defaults={"name": "Personal"})
                Membership.objects.get_or_create(workspace=workspace, user=user, defaults={"role": Role.OWNER})
        return workspace

    def found(self, user: "User", name: str) -> "Workspace":
        """A new team workspace that this person owns. Raises TooManyWorkspaces."""
        with transaction.atomic():
            get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)  # one after the other
            if Membership.objects.filter(user=user, role=Role.OWNER, workspace__in=self.alive()).count() >= OWNED_MAX:
                raise TooManyWorkspaces
            workspace = self.create(name=name)
            Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
        return workspace


class Workspace(models.Model):
    """Owns pictures, jobs and a library. *Personal* ones belong to exactly one person, the others are teams.

    An archived one can be looked at and downloaded from, and nothing in it changes. One in the trash is there for
    its owners alone, who may put it back until it is purged.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=80)
    personal_for = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="personal_workspace"
    )
    cover = models.ForeignKey(
        "editor.Image", on_delete=models.SET_NULL, null=True, blank=True, related_name="covers", editable=False
    )
    pictures_per_month = models.PositiveIntegerField(
        null=True, blank=True, help_text="Pictures that may be made in a month; empty: as in the settings."
    )
    money_per_month = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="What they may cost in a month; empty: as in the settings.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True, blank=True)
    trashed_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True, editable=False)  # its pictures are gone, its rows stay
    shares_approved_only = models.BooleanField(default=False, editable=False)  # links show no picture but approved ones

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(personal_for=None) | Q(archived_at=None, trashed_at=None),
                name="workspace_personal_stays",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_personal(self) -> bool:
        return self.personal_for_id is not None

    @property
    def pictures_allowed(self) -> int | None:
        """In a month, of all members together; None: any number. Without a number of its own, the portal's."""
        return chosen.WORKSPACE_PICTURES_PER_MONTH if self.pictures_per_month is None else self.pictures_per_month

    @property
    def money_allowed(self) -> Decimal | None:
        """Likewise."""
        usual = chosen.WORKSPACE_MONEY_PER_MONTH
        if self.money_per_month is not None or usual is None:
            return self.money_per_month
        return Decimal(str(usual))

    @property
    def is_open(self) -> bool:
        """Whether anything in it may change."""
        return self.archived_at is None and self.trashed_at is None

    @property
    def picture(self) -> "Image | None":
        """Its own picture, unless that is in the trash, waits for a look or is sensitive."""
        cover = self.cover
        if cover is None or cover.trashed_at is not None or cover.withheld_at is not None or cover.sensitive:
            return None
        return cover

    def archive(self) -> bool:
        rows = Workspace.objects.filter(pk=self.pk, personal_for=None, archived_at=None, trashed_at=None)
        return bool(rows.update(archived_at=timezone.now()))

    def reopen(self) -> bool:
        """Out of the archive."""
        rows = Workspace.objects.filter(pk=self.pk, archived_at__isnull=False, trashed_at=None)
        return bool(rows.update(archived_at=None))

    def trash(self) -> bool:
        rows = Workspace.objects.filter(pk=self.pk, personal_for=None, trashed_at=None)
        return bool(rows.update(trashed_at=timezone.now()))

    def restore(self) -> bool:
        rows = Workspace.objects.filter(pk=self.pk, trashed_at__gt=timezone.now() - restorable(), purged_at=None)
        return bool(rows.update(trashed_at=None))

    # Who is in it. All changes of owners go one after the other, so that two can't leave at once.

    def change_role(self, membership: "Membership", role: str) -> None:
        """Raises LastOwner."""
        with transaction.atomic():
            self._keep_an_owner(membership, still_owner=role == Role.OWNER)
            Membership.objects.filter(pk=membership.pk).update(role=role)

    def remove(self, membership: "Membership") -> None:
        """The person sees nothing of it from now on; what they made stays. Raises LastOwner."""
        with transaction.atomic():
            self._keep_an_owner(membership, still_owner=False)
            for still_there in Membership.objects.filter(pk=membership.pk):
                still_there.delete()

    def hand_over(self, owner: "Membership", to: "Membership") -> None:
        """The other person becomes an owner, the present one an admin. Raises LastOwner if the other one is gone."""
        with transaction.atomic():
            Workspace.objects.select_for_update().get(pk=self.pk)
            if not Membership.objects.filter(pk=to.pk, workspace=self).update(role=Role.OWNER):
                raise LastOwner
            Membership.objects.filter(pk=owner.pk, workspace=self).update(role=Role.ADMIN)

    def _keep_an_owner(self, membership: "Membership", *, still_owner: bool) -> None:
        Workspace.objects.select_for_update().get(pk=self.pk)
        others = self.memberships.filter(role=Role.OWNER).exclude(pk=membership.pk)
        if not still_owner and not others.exists():
            was = Membership.objects.filter(pk=membership.pk).values_list("role", flat=True).first()
            if was == Role.OWNER:
                raise LastOwner


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    pictures_per_month = models.PositiveIntegerField(null=True, blank=True)  # of the workspace's; empty: no limit
    created_at = models.DateTimeField(default=timezone.now)
    activity_seen_at = models.DateTimeField(null=True, blank=True, editable=False)  # what came later is new to them

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="membership_once_per_person")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}: {self.role}"

    @property
    def rank(self) -> int:
        return RANK[Role(self.role)]

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """The person leaves or is removed, which the workspace remembers as long as both are there."""
        with transaction.atomic():
            Workspace.objects.select_for_update().get(pk=self.workspace_id)
            kept = {"left_at": timezone.now(), "pictures_per_month": self.pictures_per_month}
            FormerMember.objects.update_or_create(workspace_id=self.workspace_id, user_id=self.user_id, defaults=kept)
            return super().delete(*args, **kwargs)


class FormerMember(models.Model):
    """Somebody who was in a workspace: invitations from before don't let them back in, and their limit waits for them.

    Gone once they are in again.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="former_members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    left_at = models.DateTimeField()
    pictures_per_month = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="former_member_once_per_person")]

    def __str__(self) -> str:
        return f"{self.user_id} was in {self.workspace_id}"


def draw_token() -> str:
    return secrets.token_urlsafe(24)


class WorkspaceInvitationQuerySet(models.QuerySet["WorkspaceInvitation"]):
    def unused(self, now: datetime) -> "WorkspaceInvitationQuerySet":
        """Neither revoked nor run out nor used up; whether they let anybody in depends on the workspace."""
        return self.filter(revoked_at=None, expires_at__gt=now, uses__lt=F("uses_max"))

    def open(self, now: datetime) -> "WorkspaceInvitationQuerySet":
        """Those that still let somebody in."""
        good = self.unused(now).filter(invited_by__suspended_at=None)
        return good.filter(workspace__archived_at=None, workspace__trashed_at=None)


class WorkspaceInvitation(models.Model):
    """Lets people into a team: one address by mail, or whoever has the link, as often as it says."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices)
    email = models.EmailField(blank=True)  # empty: a link for whoever has it
    token = models.CharField(max_length=64, unique=True, default=draw_token, editable=False)
    uses = models.PositiveSmallIntegerField(default=0)
    uses_max = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = WorkspaceInvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(uses__lte=F("uses_max")), name="workspace_invitation_not_overused"),
            models.CheckConstraint(condition=~Q(role="owner"), name="workspace_invitation_makes_no_owner"),
            models.UniqueConstraint(
                "workspace",
                Lower("email"),
                condition=Q(revoked_at=None) & Q(uses=0) & ~Q(email=""),
                name="workspace_invitation_once_per_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email or 'link'} to {self.workspace} as {self.role}"

    def revoke(self) -> bool:
        rows = WorkspaceInvitation.objects.filter(pk=self.pk, revoked_at=None)
        return bool(rows.update(revoked_at=timezone.now()))

    def is_from_before(self, user: "User") -> bool:
        """Whether it was made before the person left the workspace or was removed: it lets them in no more."""
        left = FormerMember.objects.filter(workspace=self.workspace_id, user=user, left_at__gte=self.created_at)
        return left.exists()

    def accept(self, user: "User") -> bool:
        """Let the person in, once, if it is still good; who is in already uses nothing up. False if it is not."""
        with transaction.atomic():
            # Nobody is removed in between, and two tabs come one after the other.
            Workspace.objects.select_for_update(no_key=True).get(pk=self.workspace_id)
            if Membership.objects.filter(workspace=self.workspace_id, user=user).exists():
                return True
            good = WorkspaceInvitation.objects.open(timezone.now()).filter(pk=self.pk)
            if self.is_from_before(user) or not good.update(uses=F("uses") + 1):
                return False
            former = FormerMember.objects.filter(workspace=self.workspace_id, user=user)
            limit = former.values_list("pictures_per_month", flat=True).first()
            Membership.objects.create(
                workspace_id=self.workspace_id, user=user, role=self.role, pictures_per_month=limit
            )
            former.delete()
            return True
