from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("editor", "0014_words")]

    operations = [
        migrations.AddField(
            model_name="image",
            name="sensitive_inherited",
            field=models.BooleanField(default=False, editable=False),
        ),
    ]
