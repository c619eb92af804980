from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0004_user_last_workspace"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="image", name="image_library"),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                fields=["workspace", "-created_at", "-id"],
                name="image_library",
                condition=models.Q(("trashed_at", None)),
            ),
        ),
        migrations.RemoveIndex(model_name="image", name="image_by_kind"),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                fields=["workspace", "kind", "-created_at", "-id"],
                name="image_by_kind",
                condition=models.Q(("trashed_at", None)),
            ),
        ),
        migrations.RemoveIndex(model_name="image", name="image_by_shape"),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                fields=["workspace", "shape", "-created_at", "-id"],
                name="image_by_shape",
                condition=models.Q(("trashed_at", None)),
            ),
        ),
        migrations.RemoveIndex(model_name="image", name="image_by_member"),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                fields=["workspace", "made_by", "-created_at", "-id"],
                name="image_by_member",
                condition=models.Q(("trashed_at", None)),
            ),
        ),
        migrations.RemoveIndex(model_name="image", name="image_by_name"),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                fields=["workspace", "name", "id"],
                name="image_by_name",
                condition=models.Q(("trashed_at", None)),
            ),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                fields=["-trashed_at", "-id"],
                name="image_in_trash",
                condition=models.Q(("purged_at", None), ("trashed_at__isnull", False)),
            ),
        ),
    ]
