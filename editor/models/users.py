"""People."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

DELETED = "Deleted account"  # the name of all who left


class Trust(models.TextChoices):
    """What is known of a person; it decides whose pictures are looked at before others may see them."""

    RESTRICTED = "restricted"
    NEW = "new"
    NORMAL = "normal"
    TRUSTED = "trusted"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account; the e-mail address is the name. Never deleted, but anonymised."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80, blank=True)
    is_staff = models.BooleanField("may open the administration", default=False)
    is_active = models.BooleanField(
        default=True, help_text="Switch off instead of deleting: edits and costs stay true."
    )
    edits_per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Pictures this person may have made a day; empty: EDITS_PER_DAY."
    )
    date_joined = models.DateTimeField(default=timezone.now)
    anonymised_at = models.DateTimeField(null=True, blank=True, editable=False)  # the account was deleted
    last_workspace = models.ForeignKey(  # where a new sign-in goes on
        "editor.Workspace", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    # What moderation decided about them.
    trust = models.CharField(max_length=10, choices=Trust.choices, default=Trust.NEW)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)  # then `is_active` is off, too
    edits_paused_until = models.DateTimeField(null=True, blank=True, editable=False)  # too many were blocked
    notices_unseen = models.PositiveIntegerField(default=0, editable=False)
    notifications_unseen = models.PositiveIntegerField(default=0, editable=False)
    session_epoch = models.PositiveIntegerField(default=0, editable=False)  # one more ends all their sessions

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="user_superusers", condition=models.Q(is_superuser=True)),
            models.Index(fields=["date_joined"], name="user_joined"),
        ]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_without_case"),
            models.CheckConstraint(
                condition=models.Q(suspended_at=None) | models.Q(is_active=False), name="user_suspended_is_inactive"
            ),
        ]
        permissions = [
            ("moderate", "Decides at the desk"),
            ("operate", "Looks after the flux server and the machine"),
            ("administer", "Looks after people, and sees the portal as they do"),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        self.email = self.email.strip().lower()

    def get_full_name(self) -> str:
        return DELETED if self.anonymised_at else self.name or self.email

    def get_short_name(self) -> str:
        return DELETED if self.anonymised_at else self.name or self.email.split("@")[0]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """As Django's, and over for all sessions when the epoch changes."""
        if not self.session_epoch:
            return str(super()._get_session_auth_hash(secret=secret))  # type: ignore[misc]
        told = f"{self.password}{self.session_epoch}"
        return salted_hmac("editor.User.session", told, secret=secret, algorithm="sha256").hexdigest()

    @property
    def initials(self) -> str:
        words = self.get_short_name().replace(".", " ").replace("_", " ").split()
        return "".join(word[0] for word in words[:2]).upper() or "?"


class Invitation(models.Model):
    """Lets one e-mail address sign up where sign-up is by invitation."""

    email = models.EmailField(unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="invitations")
    created_at = models.DateTimeField(default=timezone.now)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        self.email = self.email.strip().lower()
