"""What the desk reads the queue and the record by."""

from django.db import migrations, models

OPEN = models.Q(state="open")


class Migration(migrations.Migration):
    dependencies = [("editor", "0007_audit_triggers")]

    operations = [
        migrations.RemoveIndex("moderationcase", "case_group"),
        migrations.AddIndex(
            "moderationcase",
            models.Index(fields=["cause", "person", "-urgency", "opened_at", "id"], name="case_group", condition=OPEN),
        ),
        migrations.AddIndex(
            "moderationcase",
            models.Index(fields=["cause", "-urgency", "opened_at", "id"], name="case_cause", condition=OPEN),
        ),
        migrations.AddIndex(
            "moderationcase",
            models.Index(fields=["person", "-urgency", "opened_at", "id"], name="case_person", condition=OPEN),
        ),
        migrations.RemoveIndex("decision", "decision_by_person"),
        migrations.AddIndex(
            "decision", models.Index(fields=["person", "-created_at", "-id"], name="decision_by_person")
        ),
        migrations.AddIndex(
            "decision", models.Index(fields=["moderator", "-created_at", "-id"], name="decision_by_moderator")
        ),
        migrations.AddIndex("decision", models.Index(fields=["cause", "-created_at", "-id"], name="decision_by_cause")),
        migrations.AddIndex(
            "user", models.Index(fields=["id"], name="user_superusers", condition=models.Q(is_superuser=True))
        ),
    ]
