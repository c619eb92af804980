"""What prompts may say."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class RuleKind(models.TextChoices):
    TERM = "term", "Words, whole and in any case"
    PATTERN = "pattern", "A regular expression (RE2)"


class RuleAction(models.TextChoices):
    """What happens to a prompt that fits, from the mildest to the strictest."""

    NOTE = "note", "Note: the edit goes on, somebody looks at it later"
    HOLD = "hold", "Hold: the edit waits until somebody looked at it"
    BLOCK = "block", "Block: the edit is not made"


class PromptRule(models.Model):
    """A term or a pattern, and what happens to a prompt in which it is found."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=RuleKind.choices, default=RuleKind.TERM)
    text = models.CharField(max_length=500)
    action = models.CharField(max_length=6, choices=RuleAction.choices, default=RuleAction.HOLD)
    explanation = models.CharField(max_length=200, blank=True, help_text="What the person reads when it is blocked.")
    is_active = models.BooleanField(default=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
