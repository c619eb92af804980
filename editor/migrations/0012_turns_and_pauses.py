from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now


def keep_pauses_by_hand(apps, schema_editor):
    servers = apps.get_model("editor", "FluxServer").objects.filter(paused_until__gt=Now())
    servers.update(paused_since=Now())
    servers.filter(pause_reason="operator").update(paused_by_hand=True, paused_until=None)


class Migration(migrations.Migration):
    dependencies = [("editor", "0011_marks")]

    operations = [
        migrations.CreateModel(
            name="Turn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField()),
                ("made_by", models.ForeignKey("editor.User", models.CASCADE, related_name="+")),
                ("workspace", models.ForeignKey("editor.Workspace", models.CASCADE, related_name="+")),
            ],
        ),
        migrations.AddConstraint(
            "turn", models.UniqueConstraint(fields=["workspace", "made_by"], name="turn_one_per_person_and_place")
        ),
        migrations.AddField("fluxserver", "turns", models.PositiveBigIntegerField(default=0, editable=False)),
        migrations.AddField("fluxserver", "batch_passed", models.PositiveIntegerField(default=0, editable=False)),
        migrations.AddField("fluxserver", "paused_since", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("fluxserver", "paused_by_hand", models.BooleanField(default=False)),
        migrations.AddField("fluxserver", "probing", models.BooleanField(default=False)),
        migrations.AddField("fluxserver", "probes", models.PositiveIntegerField(default=0, editable=False)),
        migrations.AddField("fluxserver", "told_of", models.CharField(blank=True, editable=False, max_length=200)),
        migrations.AddIndex(
            "attempt", models.Index(fields=["server", "-ended_at"], name="attempt_done", condition=Q(state="ended"))
        ),
        migrations.AddIndex(
            "generationjob",
            models.Index(
                fields=["workspace", "made_by", "interactive", "created_at", "id"],
                name="job_in_line",
                condition=Q(state="queued"),
            ),
        ),
        migrations.AddIndex(
            "generationjob",
            models.Index(fields=["made_by"], name="job_waits_of", condition=Q(state__in=["held", "queued"])),
        ),
        migrations.AddIndex(
            "generationjob",
            models.Index(fields=["workspace"], name="job_waits_in", condition=Q(state__in=["held", "queued"])),
        ),
        # Rows that are changed have deferred checks, after which PostgreSQL alters no table: so this comes last.
        migrations.RunPython(keep_pauses_by_hand, migrations.RunPython.noop),
    ]
