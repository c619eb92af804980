"""Nobody makes themselves or anybody else more than they are, by whatever form: superusers alone give rights."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from editor.accounts.roles import ADMINISTRATOR, MODERATOR, OPERATOR, ordinary
from editor.models import Membership, User, Workspace
from tests.people import client_of, make_person, submit
from tests.staff.roles import give_role

pytestmark = pytest.mark.django_db
NAMES = (MODERATOR, OPERATOR, ADMINISTRATOR)


def rights() -> dict[str, Any]:
    """Everybody's, and what groups may do."""
    people = {
        user.email: (
            user.is_superuser,
            user.is_staff,
            user.is_active,
            user.password,
            sorted(user.groups.values_list("name", flat=True)),
            sorted(user.user_permissions.values_list("codename", flat=True)),
        )
        for user in User.objects.all()
    }
    groups = {group.name: sorted(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()}
    members = sorted(Membership.objects.values_list("workspace", "user", "role"))
    return {"people": people, "groups": groups, "members": members}


def everything(target: User) -> dict[str, Any]:
    """All that a form could be asked for, in one body."""
    return {
        "email": target.email,
        "name": "Changed",
        "is_active": "on",
        "trust": "trusted",
        "why": "Because",
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [str(pk) for pk in Group.objects.values_list("pk", flat=True)],
        "user_permissions": [str(pk) for pk in Permission.objects.values_list("pk", flat=True)[:20]],
        "permissions": [str(pk) for pk in Permission.objects.values_list("pk", flat=True)[:20]],
        "password": "pbkdf2_sha256$1$a$b",
        "password1": "another long password",
        "password2": "another long password",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-user": str(target.pk),
        "memberships-0-role": "owner",
        "post": "yes",
        "reason": "x",
    }


@pytest.mark.parametrize("role", NAMES)
def test_no_form_gives_rights(role: str, quick_passwords: None) -> None:
    oneself = give_role(make_person("oneself"), role)
    above, plain = make_person("above", superuser=True), make_person("plain")
    colleague = give_role(make_person("colleague"), MODERATOR)
    Workspace.objects.found(plain, "Team")
    client = client_of(oneself)
    before = rights()
    for address in forms(oneself, above, plain, colleague):
        for target in (oneself, plain):
            assert client.post(address, everything(target)).status_code in {200, 302, 403, 404, 405}, address
    after = rights()
    made = set(after["people"]) - set(before["people"])
    assert all(after["people"][email][:2] == (False, False) for email in made)
    assert {email: after["people"][email] for email in before["people"]} == before["people"]
    assert after["groups"] == before["groups"]
    assert after["members"] == before["members"]


def forms(*people: User) -> list[str]:
    """Every add and change form of the administration, and the pages that one might guess."""
    found = []
    for model in admin.site._registry:
        if not model._meta.managed:  # the queues, which have no rows
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_add"))
        rows = list(people) if model is User else list(model._base_manager.order_by("pk")[:3])
        found += [reverse(f"{name}_change", args=[row.pk]) for row in rows]
        found += [reverse(f"{name}_delete", args=[row.pk]) for row in rows]
    found += [f"/admin/editor/user/{person.pk}/password/" for person in people]
    return found


ACTIONS = ("switch_off", "switch_on", "sign_out_everywhere", "delete_selected")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", NAMES)
def test_no_action_touches_staff(role: str, action: str, quick_passwords: None) -> None:
    client = client_of(give_role(make_person("oneself"), role))
    make_person("above", superuser=True)
    give_role(make_person("colleague"), MODERATOR)
    with_role = give_role(make_person("hidden"), OPERATOR)
    User.objects.filter(pk=with_role.pk).update(is_staff=False, is_active=False)
    before = list(User.objects.order_by("pk").values_list("pk", "is_active", "session_epoch"))
    ids = [str(user.pk) for user in User.objects.exclude(email="oneself@example.com")]
    client.post("/admin/editor/user/", {"action": action, "_selected_action": ids})
    after = list(User.objects.order_by("pk").values_list("pk", "is_active", "session_epoch"))
    assert after == before


@pytest.mark.parametrize("door", ["view-as", "sign-out", "suspend", "reinstate"])
@pytest.mark.parametrize("above", ["superuser", "staff", "role alone", "permission alone"])
def test_no_button_touches_staff(above: str, door: str, administrator: User) -> None:
    person = make_person("above", superuser=above == "superuser")
    if above in {"staff", "role alone"}:
        give_role(person, MODERATOR)
        User.objects.filter(pk=person.pk).update(is_staff=above == "staff")
    if above == "permission alone":
        person.user_permissions.add(Permission.objects.get(codename="moderate"))
    response = client_of(administrator).post(f"/admin/editor/user/{person.pk}/{door}/", {"reason": "x"})
    assert response.status_code == 403
    assert list(ordinary(User.objects.filter(pk=person.pk))) == []


def test_address_of_a_colleague_stays(administrator: User, moderator: User) -> None:
    page = f"/admin/editor/user/{moderator.pk}/change/"
    User.objects.filter(pk=moderator.pk).update(is_staff=False)  # the role alone is enough to be left alone
    assert submit(client_of(administrator), page, email="mine@example.com", trust="new").status_code == 403
    moderator.refresh_from_db()
    assert moderator.email == "moderator@example.com"


def test_person_with_several_roles_may_do_what_each_may(quick_passwords: None) -> None:
    client = client_of(give_role(make_person("both"), MODERATOR, OPERATOR))
    for name, status in (("image", 200), ("attempt", 200), ("user", 403)):
        assert client.get(f"/admin/editor/{name}/").status_code == status


def test_superuser_gives_a_role(admin_client: Client, alice: User) -> None:
    role = Group.objects.get_or_create(name=OPERATOR)[0]
    fields = {"email": alice.email, "name": "", "is_active": "on", "trust": "new", "groups": str(role.pk)}
    submit(admin_client, f"/admin/editor/user/{alice.pk}/change/", **fields)
    alice.refresh_from_db()
    assert [group.name for group in alice.groups.all()] == [OPERATOR]


def test_roles_are_changed_by_nobody(admin_client: Client, alice: User) -> None:
    give_role(alice, MODERATOR)
    role = Group.objects.get(name=MODERATOR)
    assert admin_client.get(f"/admin/auth/group/{role.pk}/change/").status_code == 200
    assert submit(admin_client, f"/admin/auth/group/{role.pk}/change/", name="Else").status_code == 403
    assert submit(admin_client, f"/admin/auth/group/{role.pk}/delete/", post="yes").status_code == 403
