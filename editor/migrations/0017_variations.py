from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("editor", "0016_batches")]

    operations = [
        migrations.AddField(
            model_name="generationjob",
            name="variation_set",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="generationjob",
            index=models.Index(
                condition=models.Q(("variation_set__isnull", False)),
                fields=["variation_set", "created_at", "id"],
                name="job_variations",
            ),
        ),
    ]
