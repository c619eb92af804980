"""Edits: everything about them, to look at."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from editor.admin.attempts import SHOWN, VendorsWords, with_vendor_id
from editor.admin.images import as_uuid
from editor.admin.lists import ReadOnlyAdmin, containing
from editor.admin.shown import EMPTY, link, pretty, thumbnails
from editor.jobs.failures import FAILURES
from editor.jobs.periods import period_words, read_period, write_period
from editor.models import Attempt, GenerationJob
from editor.models.figures import HOUR, hour_of


class AttemptInline(VendorsWords, admin.StackedInline):  # type: ignore[type-arg]  # Django's class takes none
    model = Attempt
    readonly_fields = [name for name in SHOWN if name != "job"]
    fields = tuple(readonly_fields)
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        return super().get_queryset(request).select_related("server")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EndedFilter(admin.SimpleListFilter):
    """When it ended; beside what is offered any full hours, which the plots of the operation lead to."""

    title = "end"
    parameter_name = "ended"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        now = timezone.now()
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        offered = [write_period(hour_of(now), hour_of(now) + HOUR), write_period(today, today + 24 * HOUR)]
        asked = self.used_parameters.get(self.parameter_name, "")
        known = dict(zip(offered, ("This hour", "Today"), strict=True))
        if asked and asked not in known:
            known[asked] = period_words(*self._asked(asked))
        return list(known.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[GenerationJob]) -> QuerySet[GenerationJob]:
        asked = self.value()
        if asked is None:
            return queryset
        since, until = self._asked(asked)
        return queryset.filter(finished_at__gte=since, finished_at__lt=until)

    def _asked(self, text: str) -> tuple[datetime, datetime]:
        try:
            return read_period(text)
        except ValueError as error:
            raise IncorrectLookupParameters from error


class CauseFilter(admin.SimpleListFilter):
    """Why it failed; the codes are known without looking at the rows."""

    title = "cause"
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = self.used_parameters.get(self.parameter_name, "")
        codes = dict.fromkeys([*sorted(FAILURES), *([asked] if asked else [])])
        return [(code, code.replace("_", " ")) for code in codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet[GenerationJob]) -> QuerySet[GenerationJob]:
        code = self.value()
        return queryset if code is None else queryset.filter(failure_code=code)


@admin.register(GenerationJob)
class JobAdmin(ReadOnlyAdmin[GenerationJob]):
    list_display = ["id", "words", "state", "failure_code", "made_by", "workspace", "created_at", "finished_at"]
    list_filter = ["state", CauseFilter, EndedFilter, "allowance", "second"]
    list_select_related = ["made_by", "workspace"]
    search_fields = ["prompt"]  # get_search_results says how
    search_help_text = (
        "An edit's id, a track id, the vendor's id, the address of a person, or words of the prompt (newest edits)."
    )
    inlines = [AttemptInline]

    def get_fields(self, request: HttpRequest, obj: GenerationJob | None = None) -> Any:
        shown_otherwise = {"rerun_of", "crop", "form_token"}
        names = [field.name for field in GenerationJob._meta.fields if field.name not in shown_otherwise]
        pictures = ["source_pictures", "result_pictures"] if request.user.has_perm("editor.view_image") else []
        return ["page", *pictures, *names, "repeats", "cut_out"]

    def get_readonly_fields(self, request: HttpRequest, obj: GenerationJob | None = None) -> Any:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[GenerationJob]:
        return super().get_queryset(request).select_related("made_by", "workspace")

    def get_ordering(self, request: HttpRequest) -> Any:
        """Those that ended within some hours are read in the order of the index that finds them."""
        return ["-finished_at"] if EndedFilter.parameter_name in request.GET else ["-created_at"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> GenerationJob | None:
        pk = as_uuid(object_id)
        return self.get_queryset(request).with_pictures().filter(pk=pk).first() if pk else None  # type: ignore[attr-defined]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[GenerationJob], search_term: str
    ) -> tuple[QuerySet[GenerationJob], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        pk = as_uuid(term)
        if pk:
            return queryset.filter(Q(pk=pk) | Q(pk__in=Attempt.objects.filter(pk=pk).values("job"))), False
        if "@" in term and " " not in term:
            return queryset.filter(made_by__email__istartswith=term), False
        words = containing(GenerationJob.objects.all(), "prompt", term)
        return queryset.filter(words | Q(pk__in=list(with_vendor_id(term).values_list("job", flat=True)))), False

    @admin.display(description="prompt")
    def words(self, job: GenerationJob) -> str:
        return job.prompt if len(job.prompt) <= 80 else f"{job.prompt[:80]}…"

    @admin.display(description="edit's page")
    def page(self, job: GenerationJob) -> SafeString:
        """Its own page, which opens for members of the workspace alone."""
        return format_html('<a href="{}">as its workspace sees it</a>', reverse("edit", args=[job.pk]))

    @admin.display(description="sources")
    def source_pictures(self, job: GenerationJob) -> str | SafeString:
        return thumbnails(job.source_images)

    @admin.display(description="results")
    def result_pictures(self, job: GenerationJob) -> str | SafeString:
        return thumbnails(job.results.all())

    @admin.display(description="repeats")
    def repeats(self, job: GenerationJob) -> str | SafeString:
        return link(job.rerun_of) if job.rerun_of_id else EMPTY

    @admin.display(description="cut out of the results")
    def cut_out(self, job: GenerationJob) -> str | SafeString:
        return pretty(job.crop)
