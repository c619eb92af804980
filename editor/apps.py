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
        from allauth.account import signals as account
        from allauth.mfa.signals import authenticator_added
        from django.contrib.auth.signals import user_logged_in, user_logged_out
        from django.db.models.signals import post_delete, post_migrate, post_save

        from editor import checks  # noqa: F401  (registers the system checks)
        from editor.accounts import live, roles, second_factor, signing_in
        from editor.models import Membership, User

        post_migrate.connect(roles.keep_roles, sender=self)
        user_logged_in.connect(signing_in.record_staff)
        authenticator_added.connect(second_factor.count_as_used)
        user_logged_out.connect(live.end_with_session)
        for changed in (account.password_changed, account.password_set, account.password_reset):
            changed.connect(live.begin_anew)
        for signal in (post_save, post_delete):
            signal.connect(live.begin_anew_for_member, sender=Membership)
        post_save.connect(live.end_of_inactive, sender=User)
        logging.getLogger("django.request").addFilter(hide_secrets)
