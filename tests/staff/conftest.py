import pytest

from tests.people import (
    admin,
    admin_client,
    alice,
    alice_client,
    bob,
    bob_client,
    charlie,
    charlie_client,
    quick_passwords,
    team,
)

__all__ = [
    "admin",
    "admin_client",
    "alice",
    "alice_client",
    "bob",
    "bob_client",
    "charlie",
    "charlie_client",
    "quick_passwords",
    "team",
]


@pytest.fixture(autouse=True)
def _quick_passwords(quick_passwords: None) -> None:
    """Also for people who sign up in a test."""
