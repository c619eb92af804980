"""Alice's team, in which bob shares pictures."""

import pytest

from editor.models import Image, User, Workspace
from tests.makers import make_image
from tests.people import alice, alice_client, bob, bob_client, charlie, charlie_client, quick_passwords, team

__all__ = ["alice", "alice_client", "bob", "bob_client", "charlie", "charlie_client", "quick_passwords", "team"]


@pytest.fixture
def image(bob: User, team: Workspace) -> Image:
    return make_image(bob, workspace=team, stored=True)
