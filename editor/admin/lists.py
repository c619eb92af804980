"""Lists that never count: on a large table a COUNT costs more than the page it is for."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from editor.admin import recording

Row = TypeVar("Row", bound=Model)

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin
else:

    class BaseAdmin(admin.ModelAdmin):
        """Takes the row's type in brackets, which Django's class does not."""

        def __class_getitem__(cls, row: type) -> type:
            return cls


LAST_PAGE = 200  # further back one searches: each page costs the reading of all before it
SEARCHED = 20_000  # the newest rows, in which words are looked for


class UncountedPaginator(Paginator):  # type: ignore[type-arg]  # Django's class takes none at run time
    """Knows whether a page follows by asking for one row more than it shows."""

    seen = 0  # rows, as far as is known
    num_pages = 1  # likewise

    def page(self, number: int | str) -> "Page[Any]":
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows = list(self.object_list[first : first + self.per_page + 1])
        more = len(rows) > self.per_page and number < LAST_PAGE
        self.num_pages = number + 1 if more else number
        self.seen = first + min(len(rows), self.per_page)
        return Page(rows[: self.per_page], number, self)

    def validate_number(self, number: Any) -> int:
        try:
            number = int(number)
        except (TypeError, ValueError):
            number = 0
        if not 1 <= number <= LAST_PAGE:
            raise InvalidPage
        return int(number)

    @property
    def count(self) -> int:
        return self.seen


class UncountedChangeList(ChangeList):
    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Raises BadRequest for a filter that PostgreSQL would not take as text; the words of a search are a form's."""
        filters = [(name, *values) for name, values in request.GET.lists() if name != SEARCH_VAR]
        if any("\0" in text for texts in filters for text in texts):
            raise BadRequest("A NUL among the filters of a list")
        super().__init__(request, *args, **kwargs)

    def get_results(self, request: HttpRequest) -> None:
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        try:
            page = paginator.page(self.page_num)
        except InvalidPage as error:
            raise IncorrectLookupParameters from error
        self.paginator = paginator
        self.result_list = page.object_list
        # Of the page alone. The same number twice keeps the templates from showing either.
        self.result_count = self.full_result_count = len(page.object_list)
        self.show_full_result_count = self.can_show_all = False
        self.show_admin_actions = True
        self.multi_page = page.has_other_pages()
        self.newer = self._page_link(page.number - 1) if page.has_previous() else ""
        self.older = self._page_link(page.number + 1) if page.has_next() else ""

    def _page_link(self, number: int) -> str:
        return self.get_query_string({"p": number})


class PlainAdmin(BaseAdmin[Row]):
    """A list without counts or facets, in the one order that an index serves; what is changed here is in the log."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = UncountedPaginator
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UncountedChangeList

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django calls this when all is saved, and one of the next two right after it."""
        request._changes = recording.changes_of(form, formsets or ())  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        entry = super().log_addition(request, obj, message)
        self._record(request, "added", obj)
        return entry

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        entry = super().log_change(request, obj, message)
        self._record(request, "changed", obj)
        return entry

    def delete_model(self, request: HttpRequest, obj: Row) -> None:
        recording.record(request, f"{obj._meta.model_name}.deleted", obj, str(obj))
        super().delete_model(request, obj)

    def _record(self, request: HttpRequest, what: str, obj: Row) -> None:
        changes = getattr(request, "_changes", [])
        if changes or what == "added":
            names = ", ".join(name for name, *_ in changes)
            recording.record(request, f"{obj._meta.model_name}.{what}", obj, f"{obj}: {names}", changes=changes)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Row], *args: Any) -> HttpResponse | None:
        """Raises BadRequest if what was chosen can be no row's id."""
        try:
            for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.model._meta.pk.to_python(chosen)
        except ValidationError as error:
            raise BadRequest("A made-up id among the chosen rows") from error
        return super().response_action(request, queryset, *args)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        """Also for fields that complete what is typed, which nothing checks before."""
        if "\0" in search_term:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)


class ReadOnlyAdmin(PlainAdmin[Row]):
    """To look at; what changes such rows is the portal's own work."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


def containing(rows: QuerySet[Row], field: str, words: str) -> Q:
    """Rows with all these words in a field, among the newest ones: without an index, all would take seconds."""
    newest = rows.order_by("-created_at").values("pk")[:SEARCHED]
    found = Q(pk__in=newest)
    for word in words.split()[:8]:
        found &= Q(**{f"{field}__icontains": word[:60]})
    return found
