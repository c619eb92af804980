"""Rules on prompts, and a box to try them before they hold anything up."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from editor.admin.lists import PlainAdmin
from editor.admin.recording import actor_of
from editor.forms.fields import LineField
from editor.models import PromptRule, RuleKind
from editor.moderation.rules import newest_prompts, problem_of, try_rule

SHOWN = 50  # fitting prompts


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's class takes none at run time
    class Meta:
        model = PromptRule
        fields = ["name", "kind", "text", "action", "explanation", "is_active"]
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}

        field_classes = {"name": LineField, "explanation": LineField}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("kind") and values.get("text") and (problem := problem_of(values["kind"], values["text"])):
            self.add_error("text", problem)
        return values


class TryForm(forms.Form):
    kind = forms.ChoiceField(choices=RuleKind.choices, initial=RuleKind.TERM)
    text = forms.CharField(label="Words or pattern", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    prompts = forms.CharField(
        label="Prompts, one a line", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 5})
    )
    newest = forms.BooleanField(label="Also the newest prompts of this portal", required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("kind") and values.get("text") and (problem := problem_of(values["kind"], values["text"])):
            self.add_error("text", problem)
        return values


@admin.register(PromptRule)
class PromptRuleAdmin(PlainAdmin[PromptRule]):
    form = RuleForm
    change_list_template = "admin/editor/promptrule/change_list.html"
    change_form_template = "admin/editor/promptrule/change_form.html"
    list_display = ["name", "kind", "text", "action", "is_active", "made_by", "created_at"]
    list_filter = ["action", "is_active"]
    list_select_related = ["made_by"]
    search_fields = ["name", "text"]
    ordering = ["name"]
    fields = ["name", "kind", "text", "action", "explanation", "is_active", "made_by", "created_at"]
    readonly_fields = ["made_by", "created_at"]

    def get_urls(self) -> list[URLPattern]:
        trial = path("try/", self.admin_site.admin_view(self.try_it), name="editor_promptrule_try")
        return [trial, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: PromptRule, form: Any, change: bool) -> None:
        if not change:
            obj.made_by = actor_of(request)
        super().save_model(request, obj, form, change)

    def try_it(self, request: HttpRequest) -> HttpResponse:
        """What a rule would find, without a rule being made. Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        reads_prompts = request.user.has_perm("editor.view_generationjob")
        known = {"kind": request.GET.get("kind", RuleKind.TERM), "text": request.GET.get("text", "")}
        from_rule = "first" in request.POST  # from the form of a rule, with its kind and text and no prompts yet
        if from_rule:
            known = {name: request.POST.get(name, "") for name in known}
        posted = request.method == "POST" and not from_rule
        form = TryForm(request.POST) if posted else TryForm(initial=known)
        if not reads_prompts:
            del form.fields["newest"]
        shown: dict[str, Any] = {**self.admin_site.each_context(request), "title": "Try a rule", "form": form}
        shown["opts"] = self.opts
        if posted and form.is_valid():
            values = form.cleaned_data
            prompts = [line for line in values["prompts"].splitlines() if line.strip()]
            prompts += newest_prompts() if values.get("newest") else []
            tried = try_rule(values["kind"], values["text"], prompts)
            fitting = [each for each in tried if each.fits]
            shown |= {"tried": tried, "fitting": fitting, "shown": fitting[:SHOWN]}
        return TemplateResponse(request, "admin/editor/promptrule/try.html", shown)
