from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("editor", "0029_download_presets"),
    ]

    operations = [
        migrations.AddField(
            model_name="comment",
            name="number",
            field=models.PositiveIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="comment",
            constraint=models.UniqueConstraint(fields=("image", "number"), name="comment_one_per_pin"),
        ),
    ]
