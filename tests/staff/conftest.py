import pytest

from editor.accounts.roles import ADMINISTRATOR, MODERATOR, OPERATOR
from editor.models import User
from tests.people import admin, admin_client, alice, alice_client, charlie, make_person, quick_passwords
from tests.staff.roles import give_role

__all__ = ["admin", "admin_client", "alice", "alice_client", "charlie", "quick_passwords"]


@pytest.fixture(autouse=True)
def _quick_passwords(quick_passwords: None) -> None:
    """Also for people who are made in a test."""


@pytest.fixture
def moderator(db: None) -> User:
    return give_role(make_person("moderator"), MODERATOR)


@pytest.fixture
def operator(db: None) -> User:
    return give_role(make_person("operator"), OPERATOR)


@pytest.fixture
def administrator(db: None) -> User:
    return give_role(make_person("administrator"), ADMINISTRATOR)
