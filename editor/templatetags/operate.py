"""The many small pieces of plots and their tables, written straight: a template would take ten times as long."""

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from editor.views.operate.plots import Piece, Plot

register = template.Library()


@register.simple_tag
def drawing(plot: Plot) -> SafeString:
    """The columns as SVG. It is for eyes and pointers: the table beside it holds the same, links and all."""
    lines = format_html_join(
        "",
        '<path class="plot-line" d="M{} {}H{}"></path><text class="plot-value" x="{}" y="{}" dy="4">{}</text>',
        ((plot.left, line.y, plot.right, plot.right + 5, line.y, line.words) for line in plot.lines),
    )
    labels = format_html_join(
        "", '<text class="plot-label" x="{}" y="{}">{}</text>', ((x, plot.below, words) for x, words in plot.labels)
    )
    before = format_html('<path class="plot-before" d="{}"></path>', plot.earlier) if plot.earlier else ""
    return format_html(
        '<svg class="operate-drawing" viewBox="{}" aria-hidden="true">{}{}{}{}</svg>',
        plot.view_box, lines, labels, _joined(map(_piece, plot.pieces)), before,
    )  # fmt: skip


def _piece(piece: Piece) -> SafeString:
    drawn = format_html(
        '<rect class="plot-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        piece.tone, piece.x, piece.y, piece.width, piece.height, piece.words,
    )  # fmt: skip
    return format_html('<a href="{}" tabindex="-1">{}</a>', piece.link, drawn) if piece.link else drawn


@register.simple_tag
def table_rows(plot: Plot) -> SafeString:
    rows = []
    for number, row in enumerate(plot.rows):
        cells = [
            format_html('<td><a id="{}" href="{}">{}</a></td>', f"{plot.name}-{number}-{place}", link, words)
            if link
            else format_html("<td>{}</td>", words)
            for place, (words, link) in enumerate(row.cells)
        ]
        head = format_html('<th scope="row">{}</th>', row.words)
        rows.append(format_html("<tr>{}{}<td>{}</td></tr>", head, _joined(cells), row.earlier))
    return _joined(rows)


@register.filter
def cause_words(code: str) -> str:
    return code.replace("_", " ")


def _joined(parts: "map[SafeString] | list[SafeString]") -> SafeString:
    return mark_safe("".join(map(conditional_escape, parts)))  # noqa: S308  all of them are escaped
