"""Administration: Django's admin over our rows, one file per noun."""

import allauth.account.admin  # noqa: F401  (registers what is taken back below)
from allauth.account.models import EmailAddress
from django.contrib import admin

from editor.admin import attempts, flux_servers, images, invitations, jobs, queues, users, webhook_events, workspaces

__all__ = [
    "attempts",
    "flux_servers",
    "images",
    "invitations",
    "jobs",
    "queues",
    "users",
    "webhook_events",
    "workspaces",
]

admin.site.site_header = "Retake, administration"
admin.site.site_title = "Retake"
admin.site.index_title = "Administration"
# An address is the way to a password: it is changed with its person, by whoever may change that person.
admin.site.unregister(EmailAddress)
# Nothing here is deleted in bulk: people are switched off, pictures go to the trash, the ledger stays.
admin.site.disable_action("delete_selected")
