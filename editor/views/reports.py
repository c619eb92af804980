"""Reporting a picture to the moderators."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from editor.access import image_for
from editor.forms import ReportForm
from editor.models import CaseState, Report, ReportReason
from editor.moderation.reports import TooManyReports, report
from editor.views.frame import PersonRequest, signed_in


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def picture_report(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Whoever sees a picture may report it; what they said stands in the form until somebody has decided."""
    image = image_for(request.user, image_id)
    open_ones = Report.objects.filter(reporter=request.user, case__image=image, case__state=CaseState.OPEN)
    said = open_ones.first()
    if request.method == "POST":
        form = ReportForm(request.POST)
        if form.is_valid():
            try:
                report(request.user, image, ReportReason(form.cleaned_data["reason"]), form.cleaned_data["words"])
            except TooManyReports as refusal:
                form.add_error(None, str(refusal))
            else:
                return redirect(f"{reverse('picture_report', args=[image.pk])}?sent=1")
    else:
        form = ReportForm({"reason": said.reason, "words": said.words} if said else None)
    context = {"image": image, "form": form, "said": said, "sent": said is not None and "sent" in request.GET}
    return render(request, "moderation/report.html", context, status=422 if request.method == "POST" else 200)
