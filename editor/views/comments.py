"""Comments on a picture."""

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import (
    comment_for,
    image_for,
    own_comment_for,
    removable_comment_for,
    settled_thread_for,
    talked_image_for,
)
from editor.forms import CommentForm, draw_form_token
from editor.forms.fields import line_of
from editor.library.shelves import NotPossible
from editor.models import Comment, Image
from editor.review import comments
from editor.review.mentions import suggested
from editor.review.threads import said_to
from editor.views import cursors
from editor.views.frame import PersonRequest, may_manage_here, signed_in, workspace_here

MOVED = "This picture was moved to another workspace, where others read what is said. Reload the page to write there."
NAME_ASKED = 80  # characters of a name that are looked for


def comments_section(request: PersonRequest, image: Image) -> dict[str, Any]:
    """What `pictures/comments.html` shows on a picture's page.

    `thread`: one alone; `resolved`: those that are settled; `talk_before`: older ones.
    """
    workspace = workspace_here(request, image.workspace_id)
    asked = {name: request.GET[name] for name in ("thread", "resolved", "talk_before") if request.GET.get(name)}
    salt = f"comments:{request.user.pk}:{image.pk}"
    threads = comments.threads_of(
        image,
        reader=request.user,
        manages=may_manage_here(workspace),
        resolved="resolved" in asked,
        before=cursors.read(asked.get("talk_before", ""), salt),
        only=_id_in(asked.get("thread", "")),
    )
    kept = {"resolved": "1"} if "resolved" in asked else {}
    older = urlencode({**kept, "talk_before": cursors.write(*threads.older, salt)}) if threads.older else ""
    return {
        "threads": threads,
        "talk_query": urlencode(asked),
        "talk_of": "thread" if "thread" in asked else "resolved" if "resolved" in asked else "open",
        "talk_first_page": "talk_before" not in asked,
        "talk_older": older,
        "has_resolved": not asked and comments.has_resolved(image),
        "may_talk": workspace.is_open,
        "talk_address": reverse("picture_comments", args=[image.pk]),
    }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def picture_comments(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Those of a picture as a piece of its page, or how many with `count`.

    A post makes a new one, in the thread of the comment `thread` or in its own.
    """
    if request.method == "POST":
        return _add(request, image_id)
    image = image_for(request.user, image_id)
    if not request.htmx:
        return redirect(f"{reverse('picture', args=[image.pk])}?{request.GET.urlencode()}#comments")
    if "count" in request.GET:
        return HttpResponse(_count_words(comments.open_threads(image)), content_type="text/plain; charset=utf-8")
    workspace = workspace_here(request, image.workspace_id)
    context = {"image": image, "workspace": workspace, **comments_section(request, image)}
    return render(request, "comments/threads.html", context)


def _add(request: PersonRequest, image_id: UUID) -> HttpResponse:
    image = talked_image_for(request.user, image_id)
    thread = _thread_in(request.POST.get("thread", ""), image)
    form = CommentForm(request.POST)
    if request.POST.get("workspace", str(image.workspace_id)) != str(image.workspace_id):
        return _refused(request, image, MOVED)
    if not form.is_valid():
        return _refused(request, image, form.sentence)
    words = form.cleaned_data
    try:
        made = comments.add(
            image,
            words["text"],
            made_by=request.user,
            thread=thread,
            point=form.point,
            called=form.called,
            form_token=words["form_token"],
        )
    except NotPossible as problem:
        return _refused(request, image, str(problem))
    return _done(request, address_of(made), str(made.pk))


@never_cache
@require_safe
@signed_in
def comment(request: PersonRequest, comment_id: UUID) -> HttpResponse:
    """To where it stands."""
    return redirect(address_of(comment_for(request.user, comment_id)))


@never_cache
@require_safe
@signed_in
def comment_earlier(request: PersonRequest, comment_id: UUID) -> HttpResponse:
    """What it said before it was changed, the latest first."""
    found = comment_for(request.user, comment_id)
    context = {
        "said": said_to(found, request.user),
        "versions": found.versions.order_by("-replaced_at", "-id"),
        "image": found.image,
        "back": address_of(found),
    }
    return render(request, f"comments/{'earlier_words' if request.htmx else 'earlier'}.html", context)


@require_POST
@signed_in
def comment_change(request: PersonRequest, comment_id: UUID) -> HttpResponse:
    found = own_comment_for(request.user, comment_id)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _refused(request, found.image, form.sentence)
    try:
        comments.change(found, form.cleaned_data["text"], called=form.called)
    except NotPossible as problem:
        return _refused(request, found.image, str(problem))
    return _done(request, address_of(found), str(found.pk))


@require_POST
@signed_in
def comment_delete(request: PersonRequest, comment_id: UUID) -> HttpResponse:
    found = removable_comment_for(request.user, comment_id)
    comments.delete(found)
    return _done(request, f"{reverse('picture', args=[found.image_id])}#comments")


@require_POST
@signed_in
def comment_resolve(request: PersonRequest, comment_id: UUID) -> HttpResponse:
    """`resolved=1`: its thread is settled; anything else: it is open again."""
    found = settled_thread_for(request.user, comment_id)
    comments.resolve(found, request.user, resolved=request.POST.get("resolved") == "1")
    return _done(request, f"{reverse('picture', args=[found.image_id])}#comments")


@never_cache
@require_safe
@signed_in
def comment_people(request: PersonRequest, image_id: UUID) -> HttpResponse:
    """Members who can be called in a comment on this picture, of whose names `q` is a part."""
    image = talked_image_for(request.user, image_id)
    found = suggested(image.workspace_id, line_of(request.GET.get("q", "")[:NAME_ASKED]))
    return JsonResponse({"people": [{"id": user.pk, "name": user.get_short_name()} for user in found]})


def address_of(comment: Comment) -> str:
    """Of a picture's page, with this comment's thread alone."""
    thread = comment.thread_id or comment.pk
    return f"{reverse('picture', args=[comment.image_id])}?thread={thread}#comment-{comment.pk}"


def _done(request: PersonRequest, address: str, made: str = "") -> HttpResponse:
    """The page looks by itself what became of it, and empties the form."""
    if not request.htmx:
        return redirect(address)
    said = {"retake:said": {"token": draw_form_token(), "comment": made}}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(said)})


def _refused(request: PersonRequest, image: Image, sentence: str) -> HttpResponse:
    """Why; without a script on a page of its own, which holds the words."""
    if request.htmx:
        return HttpResponse(sentence, status=422, content_type="text/plain; charset=utf-8")
    context = {
        "image": image,
        "sentence": sentence,
        "address": request.path,
        "sent": {name: request.POST[name] for name in ("thread", "form_token") if name in request.POST},
        "text": request.POST.get("text", ""),
    }
    return render(request, "comments/refused.html", context, status=422)


def _count_words(count: int) -> str:
    """Of open threads; nothing for none."""
    most = comments.COUNTED_MAX
    return "" if not count else f"{most}+ open" if count > most else f"{count} open"


def _thread_in(text: str, image: Image) -> Comment | None:
    """None for nothing. Raises Http404 for what is no comment on this picture."""
    asked = _id_in(text)
    found = Comment.objects.filter(pk=asked, image=image).first() if asked else None
    if asked and found is None:
        raise Http404
    return found


def _id_in(text: str) -> UUID | None:
    """None for nothing. Raises Http404 for what is no id."""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None
