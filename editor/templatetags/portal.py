"""What whoever runs the portal wants said: their name, a notice, the terms."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django import template
from django.template import Context

from editor.models.chosen import chosen

register = template.Library()
CLOSED = "notice-closed"  # the cookie that static/js/notice.js sets


@dataclass(frozen=True)
class PortalNotice:
    words: str
    mark: str  # another one for other words


@register.simple_tag(name="chosen")
def chosen_now(name: str) -> Any:
    """What holds for a setting of people."""
    return getattr(chosen, name)


@register.simple_tag
def about_given() -> bool:
    """Whether the page about the portal says anything."""
    return bool(chosen.PORTAL_RUN_BY or chosen.PORTAL_CONTACT or chosen.PORTAL_TERMS or chosen.PORTAL_PRIVACY)


@register.simple_tag(takes_context=True)
def portal_notice(context: Context) -> PortalNotice | None:
    """What everybody is told, unless this browser closed it."""
    words = chosen.PORTAL_NOTICE
    mark = hashlib.sha256(words.encode()).hexdigest()[:16]
    request = context.get("request")
    closed = request is not None and request.COOKIES.get(CLOSED) == mark
    return PortalNotice(words, mark) if words and not closed else None


@register.filter
def is_link(words: str) -> bool:
    """Whether it is an address and nothing else."""
    return words.startswith("https://") and len(words.split()) == 1
