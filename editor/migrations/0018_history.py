import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import OuterRef, Subquery

from editor.library.words import WORDS_MAX, words_of

AT_ONCE = 500


def find_old_edits(apps, schema_editor):
    """Those that were made before are found, too, and so are favourites among their results."""
    names = ("GenerationJob", "JobSource", "EditTerm", "Favourite", "Image")
    job_model, source, term, favourite, image = (apps.get_model("editor", name) for name in names)
    jobs = job_model.objects.only("pk", "prompt", "made_by_id", "workspace_id", "created_at").order_by("pk")
    last = None
    while batch := list(jobs.filter(pk__gt=last)[:AT_ONCE] if last else jobs[:AT_ONCE]):
        terms = {job.pk: words_of(job.prompt)[:WORDS_MAX] for job in batch}
        for job_id, image_id in source.objects.filter(job__in=batch).values_list("job_id", "image_id"):
            terms[job_id].append(f"={image_id.hex}")
        about = {
            job.pk: {"made_by_id": job.made_by_id, "workspace_id": job.workspace_id, "job_created_at": job.created_at}
            for job in batch
        }
        rows = [term(job_id=pk, term=one, **about[pk]) for pk, found in terms.items() for one in dict.fromkeys(found)]
        term.objects.bulk_create(rows, batch_size=1_000, ignore_conflicts=True)
        last = batch[-1].pk
    made = image.objects.filter(pk=OuterRef("image_id"))
    favourite.objects.filter(image__job__isnull=False).update(
        job_id=Subquery(made.values("job_id")[:1]), job_created_at=Subquery(made.values("job__created_at")[:1])
    )


class Migration(migrations.Migration):
    dependencies = [
        ("editor", "0017_variations"),
    ]

    operations = [
        migrations.CreateModel(
            name="EditTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("term", models.CharField(max_length=40)),
                ("job_created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("query", models.CharField(blank=True, max_length=800)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="favourite",
            name="job",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="editor.generationjob",
            ),
        ),
        migrations.AddField(
            model_name="favourite",
            name="job_created_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="favourite",
            index=models.Index(
                condition=models.Q(("job__isnull", False)),
                fields=["user", "-job_created_at", "-job"],
                name="favourite_edits",
            ),
        ),
        migrations.AddIndex(
            model_name="generationjob",
            index=models.Index(fields=["made_by", "workspace", "-created_at", "-id"], name="job_mine_in"),
        ),
        migrations.AddIndex(
            model_name="generationjob",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ["collecting", "held", "processing", "queued", "submitting", "unconfirmed"])
                ),
                fields=["made_by", "-created_at", "-id"],
                name="job_mine_working",
            ),
        ),
        migrations.AddIndex(
            model_name="generationjob",
            index=models.Index(
                condition=models.Q(("state__in", ["succeeded"])),
                fields=["made_by", "-created_at", "-id"],
                name="job_mine_done",
            ),
        ),
        migrations.AddIndex(
            model_name="generationjob",
            index=models.Index(
                condition=models.Q(("state__in", ["blocked", "canceled", "failed"])),
                fields=["made_by", "-created_at", "-id"],
                name="job_mine_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="generationjob",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ["collecting", "held", "processing", "queued", "submitting", "unconfirmed"])
                ),
                fields=["workspace", "-created_at", "-id"],
                name="job_in_working",
            ),
        ),
        migrations.AddIndex(
            model_name="generationjob",
            index=models.Index(
                condition=models.Q(("state__in", ["succeeded"])),
                fields=["workspace", "-created_at", "-id"],
                name="job_in_done",
            ),
        ),
        migrations.AddIndex(
            model_name="generationjob",
            index=models.Index(
                condition=models.Q(("state__in", ["blocked", "canceled", "failed"])),
                fields=["workspace", "-created_at", "-id"],
                name="job_in_failed",
            ),
        ),
        migrations.AddField(
            model_name="editterm",
            name="job",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="terms",
                to="editor.generationjob",
            ),
        ),
        migrations.AddField(
            model_name="editterm",
            name="made_by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="editterm",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="editor.workspace"
            ),
        ),
        migrations.AddField(
            model_name="savedfilter",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="saved_filters", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="savedfilter",
            name="workspace",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="editor.workspace",
            ),
        ),
        migrations.AddIndex(
            model_name="editterm",
            index=models.Index(fields=["made_by", "term", "-job_created_at", "-job"], name="edit_term_mine"),
        ),
        migrations.AddIndex(
            model_name="editterm",
            index=models.Index(fields=["workspace", "term", "-job_created_at", "-job"], name="edit_term_in"),
        ),
        migrations.AddConstraint(
            model_name="editterm",
            constraint=models.UniqueConstraint(fields=("job", "term"), name="edit_term_once"),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(
                models.F("user"), django.db.models.functions.text.Lower("name"), name="saved_filter_name_once"
            ),
        ),
        migrations.RunPython(find_old_edits, migrations.RunPython.noop),
    ]
