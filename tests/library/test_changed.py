"""Edits by how much of their results changed."""

import pytest
from django.template.loader import render_to_string

from editor.library.changed import EXTENTS, that_changed
from editor.models import ChangeMap, ChangeState, Extent, GenerationJob, Image, NoChangeMap, User
from tests.makers import make_image, make_job, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com")


def changed(alice: User, *shares: float | None) -> GenerationJob:
    """An edit with a result for each share; None: nobody knows."""
    job = make_job(alice)
    for position, share in enumerate(shares):
        image = make_image(alice, kind="generated", job=job, position=position)
        if share is not None:
            made = {"state": ChangeState.MADE, "share": share, "made_at": job.created_at}
            ChangeMap.objects.create(image=image, **made)
    return job


def test_a_filter_finds_each_step_and_nothing_of_which_nothing_is_known(alice: User) -> None:
    hardly, little, much = (changed(alice, share) for share in (0.019, 0.02, 0.3))
    several = changed(alice, 0.0, 1.0, None)
    unknown = changed(alice, None)
    none = make_image(alice, kind="generated", job=unknown, position=1)
    ChangeMap.objects.create(image=none, state=ChangeState.NONE, reason=NoChangeMap.SHAPE)
    jobs = GenerationJob.objects.all()
    found = {name: set(that_changed(jobs, name, alice)) for name, _ in EXTENTS}
    assert found == {"much": {much, several}, "little": {little}, "hardly": {hardly}}
    assert set(that_changed(jobs, "else", alice)) == set(jobs)


def test_a_removed_result_says_nothing(alice: User) -> None:
    job = changed(alice, 0.5)
    Image.objects.filter(job=job).update(removed_at=job.created_at, trashed_at=job.created_at)
    assert not that_changed(GenerationJob.objects.all(), Extent.MUCH, alice).exists()


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "Hardly changed"),
        (0.019, "Hardly changed"),
        (0.02, "About 2 % changed"),
        (0.094, "About 9 % changed"),
        (0.12, "About 10 % changed"),
        (0.63, "About 65 % changed"),
        (1.0, "About 100 % changed"),
    ],
)
def test_the_mark_says_no_more_than_is_known(alice: User, share: float, words: str) -> None:
    [image] = changed(alice, share).results.select_related("change_map")
    assert words in render_to_string("pictures/change_mark.html", {"image": image})


def test_no_mark_where_nothing_is_known_and_no_query_for_it(alice: User, django_assert_num_queries: object) -> None:
    jobs = list(GenerationJob.objects.filter(pk=changed(alice, None).pk).with_pictures())
    [image] = jobs[0].results.all()
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert not render_to_string("pictures/change_mark.html", {"image": image}).strip()


def test_result_that_waits_for_a_look_says_nothing_to_others(alice: User) -> None:
    job = changed(alice, 0.5)
    Image.objects.filter(job=job).update(withheld_at=job.created_at)
    jobs = GenerationJob.objects.all()
    assert that_changed(jobs, Extent.MUCH, alice).exists()
    assert not that_changed(jobs, Extent.MUCH, make_user("bob@example.com")).exists()
