
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('editor', '0032_shares_and_approval'),
    ]

    operations = [
        migrations.AddField(
            model_name='batch',
            name='tell_due_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='mailedsubject',
            name='sending_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='membership',
            name='activity_seen_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='mailedsubject',
            name='at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['workspace', '-created_at', '-id'], name='batch_of_workspace'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(condition=models.Q(('tell_due_at__isnull', False)), fields=['tell_due_at'], name='batch_tell'),
        ),
    ]
