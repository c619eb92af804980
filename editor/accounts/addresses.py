"""One person, one spelling: e-mail addresses are normalised before anything compares, stores or mails them."""

import unicodedata
from typing import Any

from allauth.account.fields import EmailField
from django.core.exceptions import ValidationError
from django.utils.encoding import punycode

MAX_LENGTH = 254  # of an address that mail can be sent to (RFC 5321), and of its column


def normal_address(raw: str) -> str:
    """The spelling under which an address is known: NFKC, lower case, the domain as ASCII and without a final dot.

    Raises ValidationError for letters before the @ that only look like ASCII, such as a Cyrillic a.
    """
    local, at, domain = unicodedata.normalize("NFKC", raw).strip().lower().rpartition("@")
    if not local.isascii():
        raise ValidationError("Use an address with plain letters and digits before the @.", code="look_alike")
    try:
        return f"{local}{at}{ascii_domain(domain)}"
    except UnicodeError as error:
        raise ValidationError("That is not an e-mail address.", code="invalid") from error


def ascii_domain(domain: str) -> str:
    """Domain in ASCII, lower case. Raises UnicodeError if it can't be one."""
    domain = domain.strip().rstrip(".").lower()
    return domain if domain.isascii() else punycode(domain)


class AddressField(EmailField):  # type: ignore[misc]  # allauth is untyped
    """An e-mail address in a form; `clean` gives its normal spelling."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_LENGTH, **kwargs)
        self.widget.attrs.pop("placeholder", None)  # the label says it, and stays while one types

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        # Longer than any address: left to the length check, so that nothing big is normalised.
        return normal_address(text) if text and len(text) <= MAX_LENGTH else text
