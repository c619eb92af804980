import logging
import re

from django.apps import AppConfig

# Whoever knows the rest of such an address may speak for the vendor, see a picture or enter an account.
TELLING = re.compile(r"(/(?:hooks/flux|sources|account/confirm-email|account/password/reset/key)/)[^/\s]+")


def hide_secrets(record: logging.LogRecord) -> bool:
    """A log filter: Django names the address of a request that failed, and a part of some is a secret."""
    record.msg, record.args = TELLING.sub(r"\1…", record.getMessage()), ()
    return True


class EditorConfig(AppConfig):
    name = "editor"
    verbose_name = "Retake"

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added
        from django.contrib.auth.signals import user_logged_in
        from django.db.models.signals import post_migrate

        from editor import checks  # noqa: F401  (registers the system checks)
        from editor.accounts import roles, second_factor, signing_in

        post_migrate.connect(roles.keep_roles, sender=self)
        user_logged_in.connect(signing_in.record_staff)
        authenticator_added.connect(second_factor.count_as_used)
        logging.getLogger("django.request").addFilter(hide_secrets)
