from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("editor", "0010_people")]

    operations = [
        migrations.CreateModel(
            name="Mark",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("value", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.AddIndex(
            "generationjob",
            models.Index(fields=["finished_at"], name="job_finished", condition=Q(finished_at__isnull=False)),
        ),
    ]
