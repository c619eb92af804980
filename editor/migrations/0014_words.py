from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("editor", "0013_former_members")]

    operations = [
        migrations.AlterModelOptions(name="allowanceentry", options={"verbose_name_plural": "allowance entries"}),
    ]
