"""RQ's own pages: for superusers and operators, and without a way to make the web process read pickles."""

from collections.abc import Callable
from json import JSONDecodeError
from typing import Any

import django_rq.admin
import rq.serializers
from csp.decorators import csp_update
from django.apps import apps
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern
from django_rq.models import Dashboard
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns
from redis.exceptions import RedisError

# Where RQ's pages name no serializer, RQ takes pickle, and whoever writes to Redis could run code in the web process.
rq.serializers.PickleSerializer = rq.serializers.JSONSerializer  # type: ignore[assignment]

apps.get_app_config("django_rq").verbose_name = "Queues"  # what the administration calls it

# The pages bring a few rules of style with them. Their inline scripts stay blocked; nothing of them is needed.
_own_styles = csp_update({"style-src": ["'unsafe-inline'"]})


def may_operate(request: HttpRequest) -> bool:
    return bool(request.user.is_staff and request.user.has_perm("editor.operate"))


class QueueAdmin(django_rq.admin.QueueAdmin):
    """For superusers and operators; other staff gets a 404, and no token opens anything."""

    def get_urls(self) -> list[URLPattern]:
        pages = get_admin_urlpatterns(name_prefix="django_rq_", view_wrapper=self._for_operators)
        # These would answer to any staff and to a token; they are linked from the pages, so they stay, behind the door.
        numbers = get_api_urlpatterns(name_prefix="django_rq_")
        for pattern in numbers:
            pattern.callback = self._for_operators(pattern.callback)
        return [*numbers, *pages, *admin.ModelAdmin.get_urls(self)]

    def _for_operators(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
        shown = self.admin_site.admin_view(_own_styles(view))

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not may_operate(request):
                raise Http404
            request.current_app = self.admin_site.name
            try:
                return shown(request, *args, **kwargs)
            except RedisError:
                words, status = (
                    "Redis does not answer. Every edit is in the database and goes on later.",
                    503,
                )
            except (UnicodeDecodeError, JSONDecodeError):
                words, status = "This was not written by the portal, so it is not read.", 422
            return HttpResponse(words, content_type="text/plain", status=status)

        return guarded

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("admin:django_rq_home")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_operate(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_operate(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_operate(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# Importing its admin module has registered its own class.
admin.site.unregister(Dashboard)
admin.site.register(Dashboard, QueueAdmin)
