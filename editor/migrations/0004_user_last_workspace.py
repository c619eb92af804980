import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0003_workspaces_and_library"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="last_workspace",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="editor.workspace",
            ),
        ),
    ]
