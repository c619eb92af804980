"""The doctor at approvals: rows that contradict each other are told."""

import pytest
from django.utils import timezone

from editor.models import Image, Review, Workspace
from editor.review import rounds
from tests.doctor.test_parts import told
from tests.people import quick_passwords
from tests.review.team import make_team

__all__ = ["quick_passwords"]

pytestmark = pytest.mark.django_db


def test_rows_that_contradict_each_other_are_told(quick_passwords: None) -> None:
    team = make_team()
    locked, asked, moved = (team.picture() for _ in range(3))
    rounds.decide(locked, by=team.adam, approves=True)
    rounds.lock(locked, team.adam)
    for image in (asked, moved):
        rounds.ask(image, team.edda, [team.vera])
    only = ("--only", "reviews")
    assert told(*only)[0] == 0
    Image.objects.filter(pk=locked.pk).update(trashed_at=timezone.now())
    Review.objects.filter(image=asked).end(None)
    Image.objects.filter(pk=moved.pk).update(workspace=Workspace.objects.create(name="Elsewhere"))
    status, said = told(*only)
    assert status == 2
    assert f"in the trash all the same: pictures {locked.pk}" in said
    assert f"no round is open: pictures {asked.pk}" in said
    assert f"lie in another workspace now: {Review.objects.get(image=moved).pk}" in said
