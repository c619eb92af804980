from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from editor.admin import doors, pictures

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("allauth.account.urls")),
    path("account/second-factor/", include("allauth.mfa.urls")),
    # Before the admin's own: people sign in, out and change passwords in one place, with its limits.
    path("admin/login/", doors.login),
    path("admin/logout/", doors.logout),
    path("admin/password_change/", doors.password_change),
    path("admin/r/<path:rest>", doors.no_page_of_its_own),
    path("admin/pictures/<uuid:image_id>/<int:width>/", pictures.admin_image, name="admin_image"),
    path("admin/pictures/<uuid:image_id>/", pictures.admin_sensitive_image, name="admin_sensitive_image"),
    path("admin/", admin.site.urls),
    path("", include("editor.urls")),
]

if settings.MAILBOX:
    from project.embedded import mailbox

    urlpatterns += mailbox.urlpatterns
