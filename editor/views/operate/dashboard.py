"""How the portal is, at a glance: what is now, and today and this week beside a week before."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from editor.doctor.glance import MOST, at_a_glance
from editor.jobs.figures import Stretch
from editor.views.frame import PersonRequest
from editor.views.operate.drawn import Drawn
from editor.views.operate.frame import operating, page
from editor.views.operate.links import Links
from editor.views.operate.weeks import Weeks


@require_safe
@operating
def dashboard(request: PersonRequest) -> HttpResponse:
    """All of it; for htmx what changes by itself, without the frame."""
    now = timezone.now()
    drawn = Drawn(Weeks(now), Links(request.user))
    context = {
        "now": now,
        "glance": at_a_glance(now),
        "most": MOST,
        "links": drawn.links,
        "drawn": drawn,
        "behind": _behind(),
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "operate/dashboard_now.html", context)
    return page(request, "operate/dashboard.html", "operate", context)


def _behind() -> Stretch | None:
    """What is counted so far, unless that is all."""
    known = Stretch.known()
    return None if known is None or known.whole else known
