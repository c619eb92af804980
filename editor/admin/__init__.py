"""Administration: Django's admin over our rows, one file per noun."""

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401  (likewise)
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin

from editor.admin import (
    attempts,
    audit_entries,
    cases,
    flux_servers,
    images,
    invitations,
    jobs,
    prompt_rules,
    queues,
    settings,
    users,
    webhook_events,
    workspaces,
)

__all__ = [
    "attempts",
    "audit_entries",
    "cases",
    "flux_servers",
    "images",
    "invitations",
    "jobs",
    "prompt_rules",
    "queues",
    "settings",
    "users",
    "webhook_events",
    "workspaces",
]

admin.site.site_header = "Retake, administration"
admin.site.site_title = "Retake"
admin.site.index_title = "Administration"
# An address is the way to a password: it is changed with its person, by whoever may change that person.
admin.site.unregister(EmailAddress)
# A second factor's secret is nobody's business but its owner's.
admin.site.unregister(Authenticator)
# Nothing here is deleted in bulk: people are switched off, pictures go to the trash, the ledger stays.
admin.site.disable_action("delete_selected")
