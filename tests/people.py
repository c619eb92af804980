"""The story of people: alice owns, bob is in her team, charlie must see nothing; the admin looks after the portal.

Fixtures; a directory's conftest imports the names that its tests use.
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django import Settings

from editor.models import Membership, Role, User, Workspace

if TYPE_CHECKING:
    from django.core.mail import EmailMessage
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

PASSWORD = "correct horse battery staple"


def make_person(name: str, *, superuser: bool = False) -> User:
    """Somebody with a proven address, a password and a personal workspace, as after a sign-up."""
    make = User.objects.create_superuser if superuser else User.objects.create_user
    user = make(f"{name}@example.com", PASSWORD, name=name.capitalize())
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    Workspace.objects.personal_of(user)
    return user


def client_of(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(user)
    return client


def submit(client: Client, address: str, **fields: str) -> "Response":
    """Send a form as a browser does."""
    return client.post(address, urlencode(fields), content_type="application/x-www-form-urlencoded")


def link_in(mail: "EmailMessage") -> str:
    """The address that a mail asks to open."""
    found = re.search(r"https?://\S+", str(mail.body))
    assert found, mail.body
    return found[0]


@pytest.fixture
def quick_passwords(settings: Settings) -> None:
    """Hashing is slow on purpose; tests make many people."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db: None, quick_passwords: None) -> User:
    return make_person("alice")


@pytest.fixture
def bob(alice: User, team: Workspace) -> User:
    """An editor in alice's team."""
    user = make_person("bob")
    Membership.objects.create(workspace=team, user=user, role=Role.EDITOR)
    return user


@pytest.fixture
def charlie(db: None, quick_passwords: None) -> User:
    return make_person("charlie")


@pytest.fixture
def admin(db: None, quick_passwords: None) -> User:
    return make_person("admin", superuser=True)


@pytest.fixture
def team(alice: User) -> Workspace:
    """A workspace that alice owns and bob, where he plays a part, may edit in."""
    workspace = Workspace.objects.create(name="Team")
    Membership.objects.create(workspace=workspace, user=alice, role=Role.OWNER)
    return workspace


@pytest.fixture
def alice_client(alice: User) -> Client:
    return client_of(alice)


@pytest.fixture
def bob_client(bob: User) -> Client:
    return client_of(bob)


@pytest.fixture
def charlie_client(charlie: User) -> Client:
    return client_of(charlie)


@pytest.fixture
def admin_client(admin: User) -> Client:
    return client_of(admin)
