import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from editor.models import Allowance, Attempt, AttemptState, GenerationJob, ImageKind, JobState, User, WebhookEvent
from tests.makers import make_attempt, make_image, make_job
from tests.people import submit

LIST = "/admin/editor/generationjob/"


@pytest.fixture
def job(alice: User) -> GenerationJob:
    """A finished edit of two sources, with one result and one attempt."""
    done = {"state": JobState.SUCCEEDED, "allowance": Allowance.TAKEN, "finished_at": timezone.now()}
    job = make_job(alice, make_image(alice), make_image(alice), prompt="a quiet harbour in the rain", **done)
    make_image(alice, kind=ImageKind.GENERATED, job=job)
    make_attempt(job, vendor_id="4711", answer={"status": "success", "<b>": ["é"]}, state=AttemptState.ENDED)
    return job


@pytest.fixture
def attempt(job: GenerationJob) -> Attempt:
    return job.attempts.get()


def page_of(client: Client, row: GenerationJob | Attempt | WebhookEvent) -> str:
    address = reverse(f"admin:editor_{row._meta.model_name}_change", args=[row.pk])
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_page_shows_pictures_and_the_vendors_words(admin_client: Client, job: GenerationJob) -> None:
    page = page_of(admin_client, job)
    assert page.count('class="thumbnail"') == 3
    assert "a quiet harbour in the rain" in page
    assert "&quot;status&quot;: &quot;success&quot;" in page
    assert "&lt;b&gt;" in page
    assert reverse("edit", args=[job.pk]) in page


def test_page_takes_few_queries(
    admin_client: Client, job: GenerationJob, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        make_attempt(job, vendor_id=str(number), state=AttemptState.ENDED)
    ContentType.objects.clear_cache()
    with django_assert_num_queries(7):  # session, person, job, sources, results, attempts, content type
        page_of(admin_client, job)


def test_secret_of_an_attempt_is_nowhere(admin_client: Client, job: GenerationJob, attempt: Attempt) -> None:
    pages = [page_of(admin_client, job), page_of(admin_client, attempt)]
    pages += [admin_client.get(address).content.decode() for address in (LIST, "/admin/editor/attempt/")]
    assert not any(attempt.secret in page for page in pages)


@pytest.mark.parametrize("how", ["id", "track id", "vendor id", "words", "person"])
def test_found_by(admin_client: Client, job: GenerationJob, attempt: Attempt, charlie: User, how: str) -> None:
    other = make_job(charlie, prompt="something else")
    words = {
        "id": str(job.pk),
        "track id": str(attempt.pk),
        "vendor id": "4711",
        "words": "RAIN harbour",
        "person": "alice@example.com",
    }[how]
    page = admin_client.get(LIST, {"q": words}).content.decode()
    assert str(job.pk) in page
    assert str(other.pk) not in page


@pytest.mark.parametrize("words", ["", " ", "%", "'", "\0", "x" * 5000, "a " * 500, "{{ }}", "٣"])
def test_strange_search_is_answered(admin_client: Client, job: GenerationJob, words: str) -> None:
    assert admin_client.get(LIST, {"q": words}).status_code == 200


@pytest.mark.parametrize("query", [{}, {"q": "watercolour"}, {"state__exact": "queued"}, {"p": "2"}])
def test_list_takes_few_queries_and_no_count(
    admin_client: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries, query: dict[str, str]
) -> None:
    image = make_image(alice)
    for _ in range(60):
        make_job(alice, image)
    with django_assert_num_queries(3 + ("q" in query)) as taken:  # session, person, (vendor's id,) page
        assert admin_client.get(LIST, query).status_code == 200
    assert not any("COUNT" in query["sql"] for query in taken.captured_queries)


def test_nothing_is_changed_here(admin_client: Client, job: GenerationJob, attempt: Attempt) -> None:
    event = WebhookEvent.objects.create(attempt=attempt, body={"status": "success"})
    for row in (job, attempt, event):
        root = f"/admin/editor/{row._meta.model_name}/"
        assert submit(admin_client, f"{root}{row.pk}/change/", state="failed").status_code == 403
        assert submit(admin_client, f"{root}{row.pk}/delete/", post="yes").status_code == 403
        assert admin_client.get(f"{root}add/").status_code == 403


@pytest.mark.parametrize("found_by", ["id", "vendor_id", "job_id"])
def test_attempt_is_found(admin_client: Client, attempt: Attempt, found_by: str) -> None:
    page = admin_client.get("/admin/editor/attempt/", {"q": str(getattr(attempt, found_by))}).content.decode()
    assert str(attempt.pk) in page
    assert "4711" in page


def test_webhook_event_is_shown_as_it_came(admin_client: Client, attempt: Attempt) -> None:
    event = WebhookEvent.objects.create(attempt=attempt, body={"status": "success", "output": ["https://x.example"]})
    assert "https://x.example" in page_of(admin_client, event)
    assert str(attempt.pk) in page_of(admin_client, event)
    found = admin_client.get("/admin/editor/webhookevent/", {"q": str(attempt.pk)}).content.decode()
    assert found.count('class="field-received_at') == 1


@pytest.mark.parametrize("made_up", ["x", "00000000-0000-0000-0000-000000000000", "1"])
def test_made_up_id_is_answered(admin_client: Client, made_up: str) -> None:
    assert admin_client.get(f"{LIST}{made_up}/change/", follow=True).status_code in (200, 404)
