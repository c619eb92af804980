"""What staff changes in the administration, for the audit log: which fields, from what to what, never a secret."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.db.models import Manager, Model, QuerySet
from django.forms import BaseModelForm
from django.http import HttpRequest

from editor.models import User
from editor.moderation import audit

Change = list[str]  # a field's name, what it was, what it is
LONGEST = 500  # characters of a value
TELLING = ("password", "secret", "token", "key")  # such fields are named, and their values are not


def actor_of(request: HttpRequest) -> User:
    """Raises TypeError for nobody."""
    if isinstance(request.user, AnonymousUser):
        raise TypeError("only somebody who is signed in changes anything here")
    return request.user


def changes_of(form: "BaseModelForm[Any]", formsets: Iterable[Any] = ()) -> list[Change]:
    """What a form, and those of rows that hang on its own, are about to change."""
    changes = _of_form(form)
    for formset in formsets:
        for each in formset.forms:
            gone = each in getattr(formset, "deleted_forms", [])
            if gone:
                changes.append([str(each.instance), "there", "deleted"])
            elif each.has_changed():
                changes += [[f"{each.instance}: {name}", old, new] for name, old, new in _of_form(each)]
    return changes


def _of_form(form: Any) -> list[Change]:
    return [
        [name, _told(name, form.get_initial_for_field(form.fields[name], name), form), _told(name, new, form)]
        for name in form.changed_data
        if (new := form.cleaned_data.get(name)) is not None or name in form.cleaned_data
    ]


def _told(name: str, value: Any, form: Any) -> str:
    if any(word in name for word in TELLING):
        return "not shown"
    return as_text(value, form.fields.get(name))[:LONGEST]


def as_text(value: Any, field: forms.Field | None = None) -> str:
    """A value in words: names of rows, "yes" and "no", "" for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return ""
    if isinstance(value, Manager | QuerySet | list | tuple | set):
        return ", ".join(sorted(as_text(each) for each in (value.all() if isinstance(value, Manager) else value)))
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(field, forms.ModelChoiceField) and not isinstance(value, Model):
        found = field.queryset.filter(pk=value).first() if field.queryset is not None else None
        return str(found or value)
    return str(value)


def record(request: HttpRequest, action: str, row: Model, words: str = "", **details: Any) -> None:
    """Add an entry about a row, by whoever sent the request. Called last in the transaction of what it tells of."""
    audit.record(actor_of(request), action, row, words, **details)
