"""Pictures come in, one file per request, and go to the trash and back."""

import hashlib
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from editor.images import keys
from editor.images.bucket import BucketUnavailable
from editor.images.rights import Rights
from editor.library.perceptual import phash_columns
from editor.models import Image, ImageState, Role, User, Workspace
from editor.views import uploading
from tests.conftest import Bucket
from tests.makers import jpeg, make_image, make_job

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def send(client: Client, data: bytes | None = None, name: str = "cat.jpg", **options: Any) -> Any:
    file = SimpleUploadedFile(name, jpeg() if data is None else data, "image/jpeg")
    return client.post("/images/", {"file": file, **options}, headers=JSON)


def test_upload_is_kept_as_it_came_and_answered_at_once(alice_client: Client, bucket: Bucket) -> None:
    response = send(alice_client)
    image = Image.objects.get()
    assert response.status_code == 201
    assert response.json() == {"id": str(image.pk), "state": "received", "url": f"/studio/{image.pk}/"}
    assert bucket.keys() == [keys.raw_key(image.pk)]


def test_plain_form_leads_to_the_studio(alice_client: Client) -> None:
    response = alice_client.post("/images/", {"file": SimpleUploadedFile("cat.jpg", jpeg())})
    assert response["Location"] == f"/studio/{Image.objects.get().pk}/"


def test_file_exactly_at_the_limit_comes_in(alice_client: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 100_000
    assert send(alice_client, b"x" * 100_000).status_code == 201


def test_one_byte_more_is_too_large(alice_client: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 100_000
    response = send(alice_client, b"x" * 100_001)
    assert response.status_code == 413
    assert response.json()["error"] == "This file is too large. A picture may have up to 0.1 MB."
    assert not Image.objects.exists()


def test_too_large_file_of_a_plain_form_gets_a_page(alice_client: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 100_000
    response = alice_client.post("/images/", {"file": SimpleUploadedFile("big.jpg", b"x" * 300_000)})
    assert response.status_code == 413
    assert "too large" in response.content.decode()


def test_empty_file_is_refused(alice_client: Client) -> None:
    response = send(alice_client, b"")
    assert (response.status_code, response.json()["error"]) == (400, "This file is empty.")


@pytest.mark.parametrize("fields", [{}, {"file": "just words"}])
def test_no_file_is_refused(fields: dict[str, str], alice_client: Client) -> None:
    response = alice_client.post("/images/", fields, headers=JSON)
    assert (response.status_code, response.json()["error"]) == (400, "Choose a picture to upload.")


def test_two_files_in_one_request_are_refused(alice_client: Client) -> None:
    files = [SimpleUploadedFile("a.jpg", jpeg()), SimpleUploadedFile("b.jpg", jpeg())]
    assert alice_client.post("/images/", {"file": files}).status_code == 400
    assert not Image.objects.exists()


def test_ten_thousand_fields_are_refused_in_words(alice_client: Client) -> None:
    response = alice_client.post("/images/", {f"f{number}": "" for number in range(10_000)})
    assert response.status_code == 400
    assert "did not understand" in response.content.decode()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\u202egpj.exe", "n" * 300 + ".jpg", "q\"uo'te.jpg", "😀.jpg", "a.png.html"]
)
def test_names_are_for_the_eyes_only(name: str, alice_client: Client, bucket: Bucket) -> None:
    assert send(alice_client, name=name).status_code == 201
    image = Image.objects.get()
    assert len(image.name) <= 120
    assert not set("/\u202e\r\n") & set(image.name)
    assert bucket.keys() == [keys.raw_key(image.pk)]
    assert alice_client.get(f"/studio/{image.pk}/").status_code == 200


def test_too_many_in_a_day_are_said(alice_client: Client, settings: Settings) -> None:
    settings.UPLOADS_PER_DAY = 1
    send(alice_client)
    response = send(alice_client)
    assert response.status_code == 429
    assert "go on tomorrow" in response.json()["error"]
    assert "Retry-After" not in response  # to wait for it would be of no use


def test_too_many_that_wait_say_when_to_come_back(alice_client: Client, settings: Settings) -> None:
    settings.UPLOADS_WAITING = 1
    send(alice_client)
    response = send(alice_client)
    assert (response.status_code, response["Retry-After"]) == (429, "3")
    assert "still being checked" in response.json()["error"]


def test_bucket_that_is_down_is_said(alice_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*arguments: object, **options: object) -> Image:
        raise BucketUnavailable("down")

    monkeypatch.setattr(uploading, "receive", down)
    response = send(alice_client)
    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert "does not answer" in response.json()["error"]


def test_signed_out_script_is_told_so(db: None) -> None:
    response = send(Client())
    assert response.status_code == 401
    assert "Sign in again" in response.json()["error"]


def test_upload_without_the_token_of_its_page_is_refused_in_words(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = send(client)
    assert response.status_code == 403
    assert "send that again" in response.content.decode()


def test_token_before_the_file_is_enough_for_a_file_that_is_too_large(alice: User, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    token = client.get("/").context["csrf_token"]
    file = SimpleUploadedFile("big.jpg", b"x" * 200_000)
    assert client.post("/images/", {"csrfmiddlewaretoken": str(token), "file": file}).status_code == 413


# Sending again


def test_same_token_brings_the_same_picture(alice_client: Client, bucket: Bucket) -> None:
    first, again = send(alice_client, token="t1"), send(alice_client, token="t1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert len(bucket.keys()) == Image.objects.count() == 1
    assert send(alice_client, token="t2").status_code == 201


def test_token_is_its_senders_and_its_workspaces(
    alice: User, alice_client: Client, bob_client: Client, team: Workspace
) -> None:
    sent = [send(alice_client, token="t"), send(alice_client, token="t", workspace=team.pk)]
    sent.append(send(bob_client, token="t", workspace=team.pk))
    assert [each.status_code for each in sent] == [201, 201, 201]
    assert Image.objects.count() == 3


def test_token_whose_bytes_got_lost_may_come_again(alice_client: Client) -> None:
    send(alice_client, token="t")
    Image.objects.get().refuse("lost")
    assert send(alice_client, token="t").status_code == 201
    assert sorted(Image.objects.values_list("state", flat=True)) == ["received", "refused"]


def test_two_at_once_with_one_token_are_one_picture(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = send(alice_client, token="t").json()["id"]
    monkeypatch.setattr(uploading, "sent_before", lambda *arguments: None)  # it came a moment too late to be seen
    assert send(alice_client, token="t").json()["id"] == first
    assert Image.objects.count() == 1


def test_token_that_is_too_long_is_refused(alice_client: Client) -> None:
    assert send(alice_client, token="t" * 65).status_code == 400


# What is there already


def test_same_bytes_are_kept_once_and_say_where_they_are(alice_client: Client, bucket: Bucket) -> None:
    first = send(alice_client, same="one").json()
    again = send(alice_client, name="other.jpg", same="one")
    assert (again.status_code, again.json()["id"], again.json()["same"]) == (200, first["id"], True)
    assert len(bucket.keys()) == Image.objects.count() == 1


def test_same_bytes_are_kept_twice_if_asked(alice_client: Client) -> None:
    send(alice_client, same="one")
    assert send(alice_client, same="both").status_code == 201
    assert len(set(Image.objects.values_list("raw_sha256", flat=True))) == 1


def test_bytes_of_another_workspace_are_not_there_already(alice_client: Client, team: Workspace) -> None:
    send(alice_client, same="one")
    assert send(alice_client, same="one", workspace=team.pk).status_code == 201


def test_hash_of_what_came_is_that_of_the_bytes(alice_client: Client) -> None:
    data = jpeg(1600, 1200) + b"x" * 200_000  # more than one piece
    send(alice_client, data)
    assert Image.objects.get().raw_sha256 == hashlib.sha256(data).hexdigest()


def test_plain_form_says_that_it_is_there_already(alice_client: Client) -> None:
    for _ in range(2):
        fields = {"file": SimpleUploadedFile("cat.jpg", jpeg()), "same": "one", "back": "library"}
        page = alice_client.post("/images/", fields, follow=True)
    words = page.content.decode()
    assert "already in the library" in words
    assert f"/pictures/{Image.objects.get().pk}/" in words


# Into the library


def test_page_names_the_workspace_it_uploads_to(alice_client: Client, team: Workspace) -> None:
    words = alice_client.get(f"/library/upload/?workspace={team.pk}").content.decode()
    assert "Upload into Team" in words
    assert f'name="workspace" value="{team.pk}"' in words


def test_page_of_an_archived_workspace_offers_nothing(alice_client: Client, team: Workspace) -> None:
    team.archive()
    words = alice_client.get(f"/library/upload/?workspace={team.pk}").content.decode()
    assert "you may look, not upload" in words
    assert "upload-form" not in words


def test_rights_come_along_with_the_file(alice_client: Client) -> None:
    said: dict[str, Any] = {
        "licence": "editorial",
        "credit": " dpa /  Anna ",
        "consent": "given",
        "usable_until": "2031-05-01",
    }
    assert send(alice_client, **said).status_code == 201
    assert Rights.of(Image.objects.get()) == Rights("editorial", "dpa / Anna", "given", date(2031, 5, 1))


@pytest.mark.parametrize(
    "said", [{"licence": "free"}, {"consent": "maybe"}, {"usable_until": "soon"}, {"credit": "x" * 401}]
)
def test_rights_that_make_no_sense_are_refused_in_words(said: dict[str, Any], alice_client: Client) -> None:
    response = send(alice_client, **said)
    assert response.status_code == 400
    assert response.json()["error"]
    assert not Image.objects.exists()


# How far it is


def test_states_of_many_are_asked_at_once(
    alice: User, alice_client: Client, charlie: User, django_assert_max_num_queries: Any
) -> None:
    looks: dict[str, Any] = phash_columns((1, 2, 3, 4))
    waiting, ready, twin = (
        make_image(alice, state=ImageState.RECEIVED),
        make_image(alice, **looks),
        make_image(alice, name="twin.jpg", **looks),
    )
    foreign = make_image(charlie, **looks)
    asked = [str(waiting.pk), str(ready.pk), str(foreign.pk), "nonsense"]
    with django_assert_max_num_queries(5):
        answer = alice_client.get("/images/states/", {"id": asked}).json()
    assert set(answer) == {str(waiting.pk), str(ready.pk)}
    assert answer[str(waiting.pk)]["alike"] == []
    assert [other["name"] for other in answer[str(ready.pk)]["alike"]] == [twin.name]


def test_state_of_a_refused_picture_says_why(alice: User, alice_client: Client) -> None:
    image = make_image(alice, state=ImageState.REFUSED, refused_code="unsupported")
    answer = alice_client.get(f"/images/{image.pk}/state/").json()
    assert answer["state"] == "refused"
    assert "JPEG, PNG, WebP or AVIF" in answer["error"]


@pytest.mark.parametrize(("state", "told"), [(ImageState.RECEIVED, False), (ImageState.READY, True)])
def test_htmx_hears_when_a_picture_is_settled(state: str, told: bool, alice: User, alice_client: Client) -> None:
    image = make_image(alice, state=state)
    response = alice_client.get(f"/images/{image.pk}/state/", headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert (response.get("HX-Trigger") == f"image-settled-{image.pk}") is told


def test_strangers_get_404(alice: User, charlie_client: Client) -> None:
    image = make_image(alice)
    assert charlie_client.get(f"/images/{image.pk}/state/").status_code == 404
    assert charlie_client.post(f"/images/{image.pk}/trash/").status_code == 404
    image.trash()
    assert charlie_client.post(f"/images/{image.pk}/restore/").status_code == 404


# Samples


def test_sample_becomes_an_upload_of_ones_own(alice: User, alice_client: Client) -> None:
    response = alice_client.post("/samples/cat/")
    image = Image.objects.get()
    assert response["Location"] == f"/studio/{image.pk}/"
    assert (image.made_by, image.name) == (alice, "Cat.jpg")


@pytest.mark.parametrize("name", ["phone", "nothing", "settings"])
def test_other_names_are_no_samples(name: str, alice_client: Client) -> None:
    assert alice_client.post(f"/samples/{name}/").status_code == 404


# Trash


def test_trash_says_for_how_long_and_offers_the_way_back(alice: User, alice_client: Client) -> None:
    image = make_image(alice)
    words = alice_client.post(f"/images/{image.pk}/trash/", follow=True).content.decode()
    assert "In the trash for 30 days." in words
    assert f'action="/images/{image.pk}/restore/"' in words
    assert alice_client.get(f"/studio/{image.pk}/").status_code == 404


def test_undo_puts_it_back(alice: User, alice_client: Client) -> None:
    image = make_image(alice, trashed_at=timezone.now())
    assert alice_client.post(f"/images/{image.pk}/restore/")["Location"] == f"/studio/{image.pk}/"
    assert alice_client.get(f"/studio/{image.pk}/").status_code == 200


def test_what_is_gone_for_good_is_said(alice: User, alice_client: Client) -> None:
    image = make_image(alice, trashed_at=timezone.now(), purged_at=timezone.now())
    assert "it is gone" in alice_client.post(f"/images/{image.pk}/restore/", follow=True).content.decode()


def test_edit_of_a_trashed_picture_can_still_be_read(alice: User, alice_client: Client) -> None:
    job = make_job(alice)
    job.source_image.trash()
    assert "in the trash" in alice_client.get(f"/edits/{job.pk}/").content.decode()


def test_trash_holds_what_can_be_put_back(
    alice: User, alice_client: Client, django_assert_max_num_queries: Any
) -> None:
    kept = make_image(alice, name="kept.jpg")
    thrown = make_image(alice, name="thrown.jpg", trashed_at=timezone.now())
    gone = make_image(alice, name="gone.jpg", trashed_at=timezone.now(), purged_at=timezone.now())
    with django_assert_max_num_queries(5):
        words = alice_client.get("/trash/").content.decode()
    assert f'action="/images/{thrown.pk}/restore/"' in words
    assert "after 30 days" in words
    assert kept.name not in words
    assert gone.name not in words


def test_trash_shows_strangers_and_viewers_nothing(alice: User, charlie: User, team: Workspace) -> None:
    image = make_image(alice, workspace=team, trashed_at=timezone.now())
    assert list(Image.objects.trashed_of(alice)) == [image]
    assert not Image.objects.trashed_of(charlie).exists()
    team.memberships.create(user=charlie, role=Role.VIEWER)
    assert not Image.objects.trashed_of(charlie).exists()


def test_link_to_a_trashed_picture_offers_it_back(alice: User, alice_client: Client, charlie_client: Client) -> None:
    image = make_image(alice, trashed_at=timezone.now())
    assert f'action="/images/{image.pk}/restore/"' in alice_client.get(f"/studio/{image.pk}/").content.decode()
    assert "in the trash" not in charlie_client.get(f"/studio/{image.pk}/").content.decode()
