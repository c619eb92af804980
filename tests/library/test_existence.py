"""What is said of each row of a page is looked up for those rows alone."""

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef
from django.test.utils import CaptureQueriesContext

from editor.library.existence import there_is
from editor.models import Favourite, Image
from tests.makers import make_image, make_user
from tests.people import client_of

pytestmark = pytest.mark.django_db


def test_it_says_what_exists_says() -> None:
    alice = make_user("alice@example.com")
    marked, plain = make_image(alice), make_image(alice)
    Favourite.objects.create(user=alice, image=marked, image_created_at=marked.created_at)
    rows = Favourite.objects.filter(image=OuterRef("pk"))
    for condition in (Exists(rows), there_is(rows)):
        assert list(Image.objects.filter(condition)) == [marked]
        said = dict(Image.objects.annotate(said=condition).values_list("pk", "said"))
        assert said == {marked.pk: True, plain.pk: False}


@pytest.mark.parametrize("path", ["/history/", "/history/?favourites=1&state=done", "/library/"])
def test_no_page_asks_in_a_way_that_may_read_everything(path: str) -> None:
    alice = make_user("alice@example.com")
    make_image(alice)
    with CaptureQueriesContext(connection) as captured:
        client_of(alice).get(path)
    asked = [query["sql"] for query in captured if "is_favourite" in query["sql"]]
    assert asked
    assert not [sql for sql in asked if "EXISTS" in sql]
