import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('editor', '0019_figures'),
    ]

    operations = [
        migrations.CreateModel(
            name='ServerOrder',
            fields=[
                ('fence', models.PositiveIntegerField(default=0, editable=False)),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('due_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('clear_cache', 'Clear the cache'), ('clear_queue', 'Clear the queue'), ('restart_server', 'Restart'), ('update_server', 'Update'), ('update_s3', 'Register the inbox'), ('reset_s3', 'Stop using the inbox')], max_length=20)),
                ('state', models.CharField(choices=[('draining', 'Draining'), ('checking', 'Checking'), ('calling', 'Calling'), ('watching', 'Watching'), ('trying', 'Trying'), ('done', 'Done'), ('failed', 'Failed'), ("withdrawn", "Broken off")], max_length=10)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('form_token', models.CharField(max_length=64, unique=True)),
                ('open_at_first', models.PositiveIntegerField(default=0)),
                ('hurried_at', models.DateTimeField(blank=True, null=True)),
                ('left_open', models.PositiveIntegerField(default=0)),
                ('verdict', models.CharField(blank=True, max_length=10)),
                ('message', models.CharField(blank=True, max_length=500)),
                ('trouble', models.CharField(blank=True, max_length=500)),
                ('outcome', models.CharField(blank=True, max_length=1000)),
                ('deploy_type', models.CharField(blank=True, max_length=40)),
                ('tested', models.BooleanField(default=False)),
                ('notes', models.JSONField(blank=True, default=list)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('called_at', models.DateTimeField(blank=True, null=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('well_since', models.DateTimeField(blank=True, null=True)),
                ('deadline_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('hurried_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='editor.generationjob')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('server', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='editor.fluxserver')),
            ],
        ),
        migrations.AddField(
            model_name='attempt',
            name='cut_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cut', to='editor.serverorder'),
        ),
        migrations.AddIndex(
            model_name='serverorder',
            index=models.Index(fields=['server', '-created_at'], name='server_order_newest'),
        ),
        migrations.AddConstraint(
            model_name='serverorder',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['calling', 'checking', 'draining', 'trying', 'watching'])), fields=('server',), name='server_order_one_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='serverorder',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('state__in', ['calling', 'checking', 'draining', 'trying', 'watching'])), models.Q(('ended_at__isnull', False), ('state__in', ['done', 'failed', 'withdrawn'])), _connector='OR'), name='server_order_ends_once'),
        ),
    ]
