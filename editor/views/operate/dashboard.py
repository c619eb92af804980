"""How the portal is, at a glance."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from editor.views.frame import PersonRequest
from editor.views.operate.frame import operating, page


@require_safe
@operating
def dashboard(request: PersonRequest) -> HttpResponse:
    return page(request, "operate/dashboard.html", "operate", {})
