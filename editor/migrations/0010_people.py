from django.db import migrations, models
from django.utils import timezone

CAUSES = [
    ("report", "Reported by people"),
    ("rule", "A rule on prompts"),
    ("flagged", "Flagged by the flux server"),
    ("often", "Blocked too often"),
    ("classifier", "Flagged by the classifier"),
    ("fingerprint", "Like a removed picture"),
    ("trust", "A first look"),
    ("descendant", "Made from a removed picture"),
    ("appeal", "An appeal"),
    ("staff", "By the administration"),
]


class Migration(migrations.Migration):
    dependencies = [("editor", "0009_pictures")]

    operations = [
        migrations.AlterField("moderationcase", "cause", models.CharField(choices=CAUSES, max_length=12)),
        migrations.AlterField("decision", "cause", models.CharField(choices=CAUSES, max_length=12)),
        migrations.AddField(
            "notice", "mail_due_at", models.DateTimeField(blank=True, default=timezone.now, null=True)
        ),
        migrations.AddIndex(
            "notice",
            models.Index(
                condition=models.Q(("mail_due_at__isnull", False)), fields=["mail_due_at"], name="notice_to_mail"
            ),
        ),
    ]
