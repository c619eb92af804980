"""What may be done with a picture: seen on its page, changed here."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from editor.access import image_for, open_workspace_for
from editor.forms import PictureRightsForm
from editor.images.rights import Rights, made_from, write
from editor.views.frame import PersonRequest, signed_in


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def picture_rights(request: PersonRequest, image_id: UUID) -> HttpResponse:
    image = image_for(request.user, image_id)
    open_workspace_for(request.user, image.workspace_id)
    if request.method == "POST":
        form = PictureRightsForm(request.POST)
        if form.is_valid():
            went = write(image, form.rights, to_results=form.cleaned_data["to_results"])
            messages.success(request, _saved(went))
            return redirect("picture", image.pk)
    else:
        form = PictureRightsForm(Rights.of(image).columns)
    context = {
        "image": image,
        "form": form,
        "results": sum(each.is_there_for(request.user) for each in made_from(image)),
    }
    return render(request, "pictures/rights_form.html", context, status=422 if request.POST and form.errors else 200)


def _saved(went: int) -> str:
    if not went:
        return "Saved."
    return (
        "Saved, also for the picture made from it." if went == 1 else f"Saved, also for {went} pictures made from it."
    )
