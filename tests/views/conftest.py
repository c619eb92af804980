import pytest

from editor.models import User, Workspace
from tests.people import alice, alice_client, bob, bob_client, charlie, charlie_client, quick_passwords, team

__all__ = ["alice", "alice_client", "bob", "bob_client", "charlie", "charlie_client", "quick_passwords", "team"]


@pytest.fixture
def own(alice: User) -> Workspace:
    return Workspace.objects.personal_of(alice)
