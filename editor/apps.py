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
        from editor import checks  # noqa: F401  (registers the system checks)

        logging.getLogger("django.request").addFilter(hide_secrets)
