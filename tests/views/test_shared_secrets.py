"""What guests don't learn, be it in the name of a file or beside a decision."""

from typing import Any

import pytest
from django.test import Client

from editor.models import Image, User, Workspace
from editor.sharing import links
from editor.sharing.links import Terms
from tests.makers import make_image, make_job
from tests.sharing.guests import at, look, share_of

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
