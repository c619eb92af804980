"""What guests don't learn, be it in the name of a file or beside a decision."""

from typing import Any

import pytest
from django.test import Client

from editor.library.shelves import collect, new_collection
from editor.models import Image, User, Workspace
from editor.sharing import links
from editor.sharing.links import Terms
from tests.makers import make_image, make_job
from tests.sharing.guests import at, look, share_of, share_of_collection

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(bob: User, team: Workspace) -> Image:
    return make_image(bob, workspace=team, stored=True)


@pytest.mark.parametrize("watermark", ["", "DRAFT"])
def test_name_of_a_downloaded_result_does_not_tell_its_prompt(bob: User, image: Image, watermark: str) -> None:
    job = make_job(bob, image)
    name = " ".join(job.prompt.split())[:80]
    made: dict[str, Any] = {"kind": "generated", "job": job, "root": image, "name": name}
    result = make_image(bob, stored=True, workspace=image.workspace, **made)
    share = share_of(bob, result, may_download=True, watermark=watermark, title="For you")
    address = at("shared_download", share, result.pk)
    assert 'filename="For you.' in Client().get(address)["Content-Disposition"]
    links.change(share, Terms(may_download=True, shows_prompts=True, watermark=watermark))
    assert "watercolour" in Client().get(address)["Content-Disposition"]


def test_result_that_was_moved_does_not_tell_its_prompt_either(bob: User, image: Image) -> None:
    Image.objects.filter(pk=image.pk).update(name="as a watercolour", description="as a  watercolour, by night")
    share = share_of(bob, image, may_download=True)
    assert "picture.jpg" in Client().get(at("shared_download", share, image.pk))["Content-Disposition"]


def test_guest_of_one_link_is_not_named_at_another(bob: User, image: Image) -> None:
    one, other = (share_of(bob, image, may_decide=True) for _ in range(2))
    Client().post(at("shared_decide", one, image.pk), {"guest_name": "Gil", "what": "approve"})
    assert "Gil" in look(one)
    page = look(other)
    assert "Approved" in page
    assert "Gil" not in page


def test_alternative_text_that_is_the_prompt_is_not_told_either(bob: User, image: Image) -> None:
    """The picture's page offers the words of the edit, which are saved with whatever else is changed there."""
    job = make_job(bob, image)
    made: dict[str, Any] = {"kind": "generated", "job": job, "root": image, "alt_text": " ".join(job.prompt.split())}
    result = make_image(bob, stored=True, workspace=image.workspace, **made)
    shelf = new_collection(bob, image.workspace, "Shelf")
    collect(bob, shelf, [result])
    one, all_ = share_of(bob, result), share_of_collection(bob, shelf)
    both = share_of(bob, result, kind="before-after", before=image)
    for page in (
        look(one),
        look(both),
        look(all_),
        Client().get(at("shared_picture", all_, result.pk)).content.decode(),
    ):
        assert "watercolour" not in page
    assert 'alt="Picture 1"' in look(all_)
    Image.objects.filter(pk=result.pk).update(alt_text="A lamp on a table")
    assert 'alt="A lamp on a table"' in look(one)
    links.change(one, Terms(shows_prompts=True))
    assert 'alt="A lamp on a table"' in look(one)
