"""Pictures: to look at, and into the trash and back."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from editor.admin import recording
from editor.admin.lists import ReadOnlyAdmin, containing
from editor.admin.shown import link, pretty, thumbnail
from editor.models import Image


def as_uuid(text: str) -> UUID | None:
    """The id that somebody pasted, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin[Image]):
    list_display = [
        "picture", "__str__", "kind", "state", "refused_code", "made_by", "workspace", "created_at", "trashed_at"
    ]  # fmt: skip
    list_display_links = ["__str__"]
    list_filter = ["kind", "state", ("trashed_at", admin.EmptyFieldListFilter), "sandbox"]
    list_select_related = ["made_by", "workspace"]
    search_fields = ["name"]  # get_search_results says how
    search_help_text = "An id, the address of a person, a refusal's code, or words of the name (newest pictures)."
    ordering = ["-created_at"]
    actions = ["move_to_trash", "restore"]

    def get_fields(self, request: HttpRequest, obj: Image | None = None) -> Any:
        shown_otherwise = {"job", "root", "init_crop", "thumbhash"}
        names = [field.name for field in Image._meta.fields if field.name not in shown_otherwise]
        return ["picture", *names, "first_upload", "made_by_edit", "crop"]

    def get_readonly_fields(self, request: HttpRequest, obj: Image | None = None) -> Any:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        return super().get_queryset(request).select_related("made_by", "workspace")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Image], search_term: str
    ) -> tuple[QuerySet[Image], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        pk = as_uuid(term)
        if pk:
            return queryset.filter(Q(pk=pk) | Q(root=pk) | Q(job=pk)), False
        if "@" in term:
            return queryset.filter(made_by__email__istartswith=term), False
        return queryset.filter(containing(Image.objects.all(), "name", term) | Q(refused_code=term)), False

    @admin.display(description="picture")
    def picture(self, image: Image) -> str | SafeString:
        return thumbnail(image)

    @admin.display(description="descends from")
    def first_upload(self, image: Image) -> str | SafeString:
        return link(image.root)

    @admin.display(description="made by the edit")
    def made_by_edit(self, image: Image) -> str | SafeString:
        return link(image.job)

    @admin.display(description="cut out of the padded init image")
    def crop(self, image: Image) -> str | SafeString:
        return pretty(image.init_crop)

    def has_trash_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("editor.change_image"))

    @admin.action(description="Move to the trash", permissions=["trash"])
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        messages.success(request, f"{self._each(request, queryset, 'trashed')} moved to the trash.")

    @admin.action(description="Restore from the trash", permissions=["trash"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        messages.success(request, f"{self._each(request, queryset, 'restored')} restored.")

    def _each(self, request: HttpRequest, queryset: QuerySet[Image], what: str) -> int:
        """Returns how many it was done to."""
        with transaction.atomic():
            moved = [image for image in queryset if (image.trash() if what == "trashed" else image.restore())]
            for image in moved:
                recording.record(request, f"image.{what}", image, str(image))
        return len(moved)
