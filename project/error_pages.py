"""What the error pages of DEBUG=1 keep to themselves."""

import re

from django.views.debug import SafeExceptionReporterFilter


class ErrorPages(SafeExceptionReporterFilter):
    """Masks addresses too: those of Redis and of the mail server hold passwords."""

    hidden_settings = re.compile(SafeExceptionReporterFilter.hidden_settings.pattern + "|URL", re.IGNORECASE)
