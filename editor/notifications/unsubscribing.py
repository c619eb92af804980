"""One click in a mail, without signing in, ends the mails of its kind for its reader, and nothing else.

A link works as long as the account has the address that it was sent to (and SECRET_KEY stays): no time ends it.
"""

from collections.abc import Iterable

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from editor.accounts.links import public_url
from editor.models import About, User

SALT = "editor.notifications.unsubscribe"


class Forged(Exception):  # noqa: N818  an answer, not a fault
    """This token was not made by us, or for an address that the account has no more."""


def address_for(person: User, abouts: Iterable[About]) -> str:
    """The public address at which mails about these end."""
    told = [person.pk, sorted(abouts), _mark(person)]
    return public_url("unsubscribe", token=signing.dumps(told, salt=SALT))


def headers_for(address: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058: the button of mail programs. RFC 3834: nobody's absence is told to the portal."""
    return {
        "List-Unsubscribe": f"<{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }


def read(token: str) -> tuple[User, list[About]]:
    """Whose mails of which kinds. Raises Forged."""
    try:
        person_id, abouts, mark = signing.loads(token, salt=SALT)
        kinds = [About(each) for each in abouts]
        person = User.objects.get(pk=person_id, anonymised_at=None)
    except (signing.BadSignature, User.DoesNotExist, ValueError, TypeError) as error:
        raise Forged from error
    if not constant_time_compare(mark, _mark(person)):
        raise Forged
    return person, kinds


def _mark(person: User) -> str:
    return salted_hmac(SALT, person.email, algorithm="sha256").hexdigest()[:16]
