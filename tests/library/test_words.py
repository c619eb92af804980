"""The words and the shape of a picture are there as soon as it is ready, and for pictures from before the library."""

import io

import pytest
from django.core.management import call_command

from editor.images import ingest
from editor.library.shelves import add_tags
from editor.library.words import WORDS_MAX, index_words
from editor.models import Image, ImageKind, ImageState, ImageWord, Shape, User, Workspace
from tests.makers import jpeg, make_image, make_job, make_user, take_in_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_user("alice@example.com")


def words_of_row(image: Image) -> set[str]:
    return set(ImageWord.objects.filter(image=image).values_list("word", flat=True))


def test_upload_is_found_as_soon_as_it_is_ready(alice: User) -> None:
    image = ingest.receive(alice, Workspace.objects.personal_of(alice), io.BytesIO(jpeg(640, 320)), "Black owl.jpg")
    assert ingest.take_in(image)
    image.refresh_from_db()
    assert (image.state, image.shape) == (ImageState.READY, Shape.LANDSCAPE)
    assert words_of_row(image) == {"black", "owl", "jpg"}


def test_result_is_found_by_its_prompt(alice: User) -> None:
    job = make_job(alice, prompt="Add a moon above the lighthouse")
    image = make_image(
        alice, kind=ImageKind.GENERATED, job=job, name="Add a moon", state=ImageState.RECEIVED, ready_at=None
    )
    assert take_in_result(image, jpeg(300, 300))
    image.refresh_from_db()
    assert image.shape == Shape.SQUARE
    assert words_of_row(image) == {"add", "a", "moon", "above", "the", "lighthouse"}


def test_words_that_are_no_longer_said_are_gone(alice: User) -> None:
    image = make_image(alice, name="black owl")
    index_words(image)
    Image.objects.filter(pk=image.pk).update(name="white owl")
    index_words(image)
    assert words_of_row(image) == {"white", "owl"}


def test_words_of_one_picture_are_bounded_and_its_name_counts_first(alice: User) -> None:
    image = make_image(alice, name="owl", description=" ".join(f"w{number}" for number in range(1000)))
    index_words(image)
    words = words_of_row(image)
    assert len(words) == WORDS_MAX
    assert {"owl", "w0"} <= words


def test_many_at_once_cost_few_queries(alice: User, django_assert_max_num_queries: object) -> None:
    images = [make_image(alice, name=f"owl {number}") for number in range(50)]
    add_tags(images[0].workspace, images, ["night"])
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        index_words(*images)


@pytest.mark.parametrize(
    ("size", "shape"),
    [((100, 100), "square"), ((105, 100), "square"), ((106, 100), "landscape"), ((100, 106), "portrait")],
)
def test_shape_is_what_the_eye_says(size: tuple[int, int], shape: str) -> None:
    assert Shape.of(*size) == shape


def test_command_fills_in_what_was_there_before(alice: User) -> None:
    images = [make_image(alice, name="owl", width=100, height=200) for _ in range(3)]
    call_command("indexpictures", stdout=io.StringIO())
    call_command("indexpictures", stdout=io.StringIO())
    assert [words_of_row(image) for image in images] == [{"owl"}] * 3
    assert set(Image.objects.values_list("shape", flat=True)) == {Shape.PORTRAIT}
