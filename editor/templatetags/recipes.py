"""What templates need to say of recipes."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from editor.jobs.creation import EditSpec
from editor.jobs.steps import PLACEHOLDER

register = template.Library()


@register.filter
def with_placeholders(text: str) -> SafeString:
    """Words of a recipe; what is to be filled in stands out."""
    pieces, done = [], 0
    for match in PLACEHOLDER.finditer(text):
        if match["name"] is None:
            continue
        pieces.append(format_html('{}<mark class="placeholder">{}</mark>', text[done : match.start()], match[0]))
        done = match.end()
    return format_html("{}{}", format_html_join("", "{}", ((piece,) for piece in pieces)), text[done:])


@register.filter
def parameters(step: EditSpec) -> list[tuple[str, str]]:
    """(name, value) of all that a step asks for besides its words."""
    return [
        ("Size", "shape of the source" if step.ratio == "match" else step.ratio.replace(":", " : ")),
        ("Pictures", str(step.samples)),
        ("Strength", f"{step.strength:g}"),
        ("Seed", "random each time" if step.seed is None else str(step.seed)),
    ]


@register.filter
def first_words(steps: list[EditSpec]) -> SafeString:
    """Of each step its words, one behind the other."""
    arrow = mark_safe(' <span class="then" aria-hidden="true">→</span><span class="visually-hidden">, then</span> ')
    return SafeString(arrow.join(with_placeholders(step.prompt[:120]) for step in steps))
