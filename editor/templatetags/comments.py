"""What templates need to say of comments."""

from typing import Any

from django import template
from django.utils.html import Urlizer, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from editor.models import Comment
from editor.review.mentions import CALL, with_names
from editor.review.threads import Said, names_in

register = template.Library()
AIMED = 60  # characters of a comment in the name of its pin


class _Links(Urlizer):
    """As Django's, for words of strangers: addresses of the web alone, which lead nobody back to the page."""

    url_template = '<a href="{href}" rel="nofollow noopener noreferrer ugc" target="_blank"{attrs}>{url}</a>'

    @staticmethod
    def is_email_simple(value: str) -> bool:
        return False


_links = _Links()


@register.filter
def comment_words(said: Said) -> SafeString:
    """What a comment says, with links, and with those whom it calls."""
    return earlier_words(said, said.comment.text)


@register.simple_tag
def earlier_words(said: Said, text: str) -> SafeString:
    """The same of a text that it had before."""
    pieces: list[str] = []
    done = 0
    for match in CALL.finditer(text):
        name = said.names.get(int(match[1]))
        if name is not None:
            pieces += [_linked(text[done : match.start()]), format_html('<bdi class="mention">@{}</bdi>', name)]
            done = match.end()
    return mark_safe("".join([*pieces, _linked(text[done:])]))  # noqa: S308  each piece is escaped


def _linked(text: str) -> Any:
    return _links(text, autoescape=True)


@register.filter
def typed_words(said: Said) -> str:
    """What it says as a member types it, with names."""
    return with_names(said.comment.text, said.names)


@register.filter
def called_words(comment: Comment) -> str:
    """The same of one whose `mentions` are at hand, with their people."""
    return with_names(comment.text, names_in(comment.mentions.all()))


@register.filter
def first_comment_words(said: Said) -> str:
    """For the name of a pin."""
    return Truncator(" ".join(typed_words(said).split())).chars(AIMED)


@register.filter
def percent(part: float) -> str:
    """A part of a side, for an attribute of a drawing."""
    return f"{part * 100:.3f}%"
