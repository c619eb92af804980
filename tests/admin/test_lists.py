"""What all lists of the administration share."""

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from editor.models import PromptRule

NUL = "a\0b"
LISTS = ["image", "generationjob", "attempt", "user", "workspace", "invitation", "fluxserver", "webhookevent"]


@pytest.fixture
def tolerant(admin_client: Client) -> Client:
    """One that gets the page of a 500 instead of the exception."""
    admin_client.raise_request_exception = False
    return admin_client


@pytest.mark.parametrize("query", ["state__exact", "p", "made_by__name__exact", "pk__in", "a\0b", "e"])
@pytest.mark.parametrize("name", LISTS)
def test_nul_among_the_filters_is_not_understood(tolerant: Client, name: str, query: str) -> None:
    response = tolerant.get(f"/admin/editor/{name}/", {"e": "1", query: NUL})
    assert response.status_code == 400
    assert "did not understand" in response.content.decode()


def test_nul_in_the_name_of_a_group_is_not_understood(tolerant: Client) -> None:
    assert tolerant.get("/admin/auth/group/", {"name__exact": NUL}).status_code == 400
    assert tolerant.get("/admin/auth/group/").status_code == 200


def test_nul_completes_to_nobody(tolerant: Client) -> None:
    asked = {"app_label": "editor", "model_name": "membership", "field_name": "user"}
    assert tolerant.get("/admin/autocomplete/", {"term": "adm", **asked}).json()["results"]
    response = tolerant.get("/admin/autocomplete/", {"term": "adm\0", **asked})
    assert (response.status_code, response.json()["results"]) == (200, [])


@pytest.mark.parametrize("chosen", ["x", NUL])
@pytest.mark.parametrize(("name", "action"), [("image", "restore"), ("user", "switch_on")])
def test_made_up_choice_is_no_error_of_ours(tolerant: Client, name: str, action: str, chosen: str) -> None:
    response = tolerant.post(f"/admin/editor/{name}/", {"action": action, "_selected_action": chosen})
    assert response.status_code < 500


def test_no_kind_of_row_has_a_page_outside_of_the_administration(tolerant: Client) -> None:
    for kind in ContentType.objects.values_list("pk", flat=True):
        assert tolerant.get(f"/admin/r/{kind}/1/").status_code == 404


def test_start_calls_things_by_their_names(tolerant: Client) -> None:
    assert "Django_Rq" not in tolerant.get("/admin/").content.decode()
    names = [str(model._meta.verbose_name_plural) for model in apps.get_models()]
    assert not [name for name in names if name.endswith("rys")]


def test_a_rule_that_is_being_written_can_be_tried_before_it_is_saved(tolerant: Client) -> None:
    page = tolerant.get("/admin/editor/promptrule/add/").content.decode()
    assert 'formaction="/admin/editor/promptrule/try/"' in page
    written = {"first": "1", "name": "a rule", "kind": "pattern", "text": r"\bh.t\b", "action": "hold"}
    tried = tolerant.post("/admin/editor/promptrule/try/", written).content.decode()
    assert r"\bh.t\b</textarea>" in tried
    assert '<option value="pattern" selected>' in tried
    assert "It fits" not in tried
    assert not PromptRule.objects.exists()
