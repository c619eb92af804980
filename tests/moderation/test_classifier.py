"""A classifier by its dotted path: what it says, what happens when it fails, and when it is not there."""

import io
import logging

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from editor.images import ingest
from editor.models import Cause, Image, ImageState, ModerationCase, User, Workspace
from editor.moderation import classifier
from tests.makers import jpeg, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.com")


def upload(alice: User) -> Image:
    image = ingest.receive(alice, Workspace.objects.personal_of(alice), io.BytesIO(jpeg(800, 600)), "a.jpg")
    ingest.take_in(image)
    image.refresh_from_db()
    assert image.state == ImageState.READY
    return image


def test_over_the_limit_it_is_sensitive_and_a_case(alice: User, settings: Settings) -> None:
    settings.CLASSIFIER = "tests.moderation.classifiers.Stern"
    image = upload(alice)
    assert image.sensitive
    assert image.withheld_at is None
    case = ModerationCase.objects.get()
    assert (case.cause, case.image, case.person, case.details) == (
        Cause.CLASSIFIER,
        image,
        alice,
        {"score": "0.970"},
    )


def test_up_to_the_limit_nothing_happens(alice: User, settings: Settings) -> None:
    settings.CLASSIFIER = "tests.moderation.classifiers.Stern"
    settings.CLASSIFIER_LIMIT = 0.97
    assert not upload(alice).sensitive
    assert not ModerationCase.objects.exists()


def test_picture_goes_on_where_it_fails(alice: User, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.CLASSIFIER = "tests.moderation.classifiers.Broken"
    with caplog.at_level(logging.ERROR):
        image = upload(alice)
    assert not image.sensitive
    assert f"could not look at picture {image.pk}" in caplog.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("tests.moderation.classifiers.Lost", "no-such-package-of-anybody"),
        ("tests.moderation.no_such_module.Thing", "can't be imported"),
        ("tests.moderation.test_classifier.alice", "no method"),
    ],
)
def test_what_can_not_run_keeps_workers_from_starting(path: str, words: str, settings: Settings) -> None:
    settings.CLASSIFIER = path
    (error,) = [each for each in run_checks() if each.id == "retake.E020"]
    assert words in error.msg


@pytest.mark.parametrize("path", ["", "tests.moderation.classifiers.Stern"])
def test_what_can_run_is_fine(path: str, settings: Settings) -> None:
    settings.CLASSIFIER = path
    assert classifier.problem() == ""
    assert "retake.E020" not in {each.id for each in run_checks()}
