"""What needs a look, what was decided about it, and what people were told."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from editor.models.images import Image
from editor.models.jobs import GenerationJob, HeldFor
from editor.models.workspaces import Workspace


class Cause(models.TextChoices):
    """Why something needs a look."""

    REPORT = "report", "Reported by people"
    RULE = "rule", "A rule on prompts"
    FLAGGED = "flagged", "Flagged by the flux server"
    OFTEN = "often", "Blocked too often"
    CLASSIFIER = "classifier", "Flagged by the classifier"
    FINGERPRINT = "fingerprint", "Like a removed picture"
    TRUST = "trust", "A first look"
    DESCENDANT = "descendant", "Made from a removed picture"
    APPEAL = "appeal", "An appeal"
    STAFF = "staff", "By the administration"


class ReportReason(models.TextChoices):
    """What people may say is wrong, the most urgent first."""

    CHILD = "child", "A child is in danger or shown sexually"
    ILLEGAL = "illegal", "It is against the law"
    PERSON = "person", "It shows me, or somebody, who did not agree"
    HATE = "hate", "It is hateful or violent"
    NUDITY = "nudity", "It is sexual"
    RIGHTS = "rights", "It is somebody else's work"
    OTHER = "other", "Something else"


class CaseState(models.TextChoices):
    OPEN = "open"
    DECIDED = "decided"


class Action(models.TextChoices):
    """What a moderator may do, several at once."""

    FINE = "fine", "Fine"
    SENSITIVE = "sensitive", "Mark sensitive"
    REMOVE = "remove", "Remove"
    WARN = "warn", "Warn"
    RESTRICT = "restrict", "Restrict"
    SUSPEND = "suspend", "Suspend"


# What was done to an edit that a rule had held.
HELD_LABELS: dict[str, str] = {Action.FINE: "Released", Action.REMOVE: "Refused"}


class CaseQuerySet(models.QuerySet["ModerationCase"]):
    def waiting(self) -> "CaseQuerySet":
        """What nobody has decided yet, the most urgent first; served by one index."""
        return self.filter(state=CaseState.OPEN).order_by("-urgency", "opened_at", "id")


class ModerationCase(models.Model):
    """One thing to be looked at: a picture, an edit's prompt or a person, for one cause.

    The same thing is not opened twice for the same cause while somebody has yet to decide about it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    cause = models.CharField(max_length=12, choices=Cause.choices)
    key = models.CharField(max_length=60, blank=True)  # what exactly: a rule, a reason, a fingerprint; finds its like
    urgency = models.PositiveSmallIntegerField()  # 0 to 100, the highest first
    state = models.CharField(max_length=8, choices=CaseState.choices, default=CaseState.OPEN)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="cases")  # whose it is
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    job = models.ForeignKey(GenerationJob, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    appeal_of = models.OneToOneField(
        "editor.Decision", on_delete=models.PROTECT, null=True, blank=True, related_name="appeal"
    )
    details = models.JSONField(default=dict, blank=True)  # of the cause: matched words, a score, a distance
    opened_at = models.DateTimeField(default=timezone.now)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="claimed_cases"
    )
    claimed_until = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-urgency", "opened_at", "id"], name="case_next", condition=Q(state="open")),
            models.Index(
                fields=["cause", "person", "-urgency", "opened_at", "id"], name="case_group", condition=Q(state="open")
            ),
            models.Index(fields=["cause", "-urgency", "opened_at", "id"], name="case_cause", condition=Q(state="open")),
            models.Index(
                fields=["person", "-urgency", "opened_at", "id"], name="case_person", condition=Q(state="open")
            ),
            models.Index(
                fields=["claimed_by"], name="case_claimed", condition=Q(state="open", claimed_by__isnull=False)
            ),
            models.Index(fields=["person", "-opened_at"], name="case_by_person"),
            models.Index(fields=["-opened_at", "-id"], name="case_newest"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["image", "cause"],
                condition=Q(state="open", image__isnull=False, appeal_of=None),
                name="case_once_per_image",
            ),
            models.UniqueConstraint(
                fields=["job", "cause"],
                condition=Q(state="open", job__isnull=False, image=None, appeal_of=None),
                name="case_once_per_job",
            ),
            models.UniqueConstraint(
                fields=["person", "cause"],
                condition=Q(state="open", job=None, image=None, appeal_of=None),
                name="case_once_per_person",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None) | Q(state="decided", decided_at__isnull=False),
                name="case_decided_says_when",
            ),
            models.CheckConstraint(
                condition=Q(claimed_by=None, claimed_until=None)
                | Q(claimed_by__isnull=False, claimed_until__isnull=False),
                name="case_claim_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(cause="appeal", appeal_of__isnull=False) | (~Q(cause="appeal") & Q(appeal_of=None)),
                name="case_appeal_says_of_what",
            ),
        ]

    def __str__(self) -> str:
        return f"{Cause(self.cause).label}: {self.image or self.job or self.person}"

    @property
    def is_claimed(self) -> bool:
        return self.claimed_until is not None and self.claimed_until > timezone.now()


class Report(models.Model):
    """One person's word about a picture; all about the same picture stand in one case."""

    case = models.ForeignKey(ModerationCase, on_delete=models.PROTECT, related_name="reports")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reports")
    reason = models.CharField(max_length=10, choices=ReportReason.choices)
    words = models.TextField(blank=True, max_length=2000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "reporter"], name="report_once_per_person")]

    def __str__(self) -> str:
        return f"{self.reason} by {self.reporter_id}"


class Decision(models.Model):
    """What somebody decided about a case. Never changed: who thinks otherwise later decides again."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    case = models.ForeignKey(ModerationCase, on_delete=models.PROTECT, related_name="decisions")
    moderator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions_made")
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    # Of its case, so that its like is found without reading cases.
    cause = models.CharField(max_length=12, choices=Cause.choices)
    key = models.CharField(max_length=60, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions")
    actions = models.JSONField()  # of Action, sorted
    reason = models.CharField(max_length=200, blank=True)  # told to the person
    note = models.TextField(blank=True, max_length=2000)  # for colleagues
    before = models.JSONField(default=dict, blank=True)  # what it changed, as it was, so that it can be taken back
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["person", "-created_at", "-id"], name="decision_by_person"),
            models.Index(fields=["moderator", "-created_at", "-id"], name="decision_by_moderator"),
            models.Index(fields=["cause", "-created_at", "-id"], name="decision_by_cause"),
            models.Index(fields=["cause", "key", "-created_at"], name="decision_like"),
            models.Index(fields=["-created_at", "-id"], name="decision_newest"),
        ]

    def __str__(self) -> str:
        return ", ".join(self.labels)

    @property
    def labels(self) -> list[str]:
        of_held = HELD_LABELS if self.before.get("held") == HeldFor.RULE else {}
        return [of_held.get(action, str(Action(action).label)) for action in self.actions]


class Notice(models.Model):
    """What a person was told about a decision: shown in the portal until they have seen it, and mailed."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, blank=True, related_name="notices")
    headline = models.CharField(max_length=200)
    words = models.TextField()
    may_appeal = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)
    mail_due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)  # None: it was mailed

    class Meta:
        indexes = [
            models.Index(fields=["person", "-created_at"], name="notice_by_person"),
            models.Index(fields=["mail_due_at"], name="notice_to_mail", condition=Q(mail_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.headline


class Fingerprint(models.Model):
    """What a removed picture is known by when it comes again, in whatever workspace."""

    image = models.OneToOneField(Image, on_delete=models.PROTECT, related_name="fingerprint")
    raw_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    master_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    # As the columns of Image: 64 bits in four parts.
    phash_a = models.PositiveIntegerField(null=True, blank=True, db_index=True)
    phash_b = models.PositiveIntegerField(null=True, blank=True, db_index=True)
    phash_c = models.PositiveIntegerField(null=True, blank=True, db_index=True)
    phash_d = models.PositiveIntegerField(null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"of {self.image_id}"
