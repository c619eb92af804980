import pytest

from tests.people import quick_passwords
from tests.review.team import Team, make_team

__all__ = ["quick_passwords"]


@pytest.fixture
def team(db: None, quick_passwords: None) -> Team:
    return make_team()
