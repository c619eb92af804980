from django.db import migrations, models
from django.db.models import Q

MEASURES = "ended failed money pictures uploads people stored purged p50 p95 waiting cases".split()


class Migration(migrations.Migration):
    dependencies = [("editor", "0018_history")]

    operations = [
        migrations.CreateModel(
            name="Figure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("measure", models.CharField(choices=[(each, each.capitalize()) for each in MEASURES], max_length=10)),
                ("label", models.CharField(blank=True, max_length=30)),
                ("value", models.DecimalField(decimal_places=4, max_digits=20)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["measure", "hour", "label"], name="figure_once_an_hour")],
                "indexes": [models.Index(fields=["hour"], name="figure_of_hour")],
            },
        ),
        migrations.AddIndex(
            "allowanceentry", models.Index(fields=["created_at"], name="allowance_taken_at", condition=Q(kind="taken"))
        ),
        migrations.AddIndex("image", models.Index(fields=["ready_at"], name="image_ready_at", condition=Q(state="ready"))),
        migrations.AddIndex(
            "image", models.Index(fields=["purged_at"], name="image_purged_at", condition=Q(purged_at__isnull=False))
        ),
        migrations.AddIndex("user", models.Index(fields=["date_joined"], name="user_joined")),
    ]
