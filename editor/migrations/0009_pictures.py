from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ('editor', '0008_desk'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='image',
            index=models.Index(fields=['removed_at'], name='image_to_quarantine', condition=Q(removed_at__isnull=False, quarantined_at=None, purged_at=None)),
        ),
        migrations.AddIndex(
            model_name='image',
            index=models.Index(fields=['quarantined_at'], name='image_to_release', condition=Q(removed_at=None, quarantined_at__isnull=False, purged_at=None)),
        ),
    ]
