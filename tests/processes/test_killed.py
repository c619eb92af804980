"""kill -9, anywhere, in the middle of an edit."""

import time

from editor.images import ingest
from editor.models import Allowance, FluxServer, GenerationJob, Image, ImageState, JobState, User, Workspace
from tests.makers import jpeg
from tests.portal import Portal, as_file, wait_until
from tests.processes.conftest import ask, wait_for

HELD = "oil painting #fault:held"  # the paid request stays open until the picture is done


def sent(portal: Portal, job: GenerationJob) -> bool:
    return bool(portal.accepted_for(job))


def test_edit_goes_on_after_the_work_horse_is_killed_during_the_paid_request(portal: Portal, picture: Image) -> None:
    job = ask(picture, HELD)
    wait_until(lambda: sent(portal, job), 10, "The request")
    portal.kill_horse("edits")
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1
    assert job.attempts.count() == 1


def test_edit_goes_on_after_the_whole_worker_is_killed_during_the_paid_request(portal: Portal, picture: Image) -> None:
    job = ask(picture, HELD)
    wait_until(lambda: sent(portal, job), 10, "The request")
    portal.kill("edits")
    portal.start("edits")
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1


def test_orphaned_work_horse_and_the_next_worker_send_a_job_once(portal: Portal, picture: Image) -> None:
    job = ask(picture, HELD)
    wait_until(lambda: sent(portal, job), 10, "The request")
    portal.kill_parent("edits")
    portal.start("edits")
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1
    assert job.results.count() == 1


def test_request_that_was_cut_off_is_not_repeated_and_its_job_says_so(portal: Portal, picture: Image) -> None:
    job = ask(picture, f"{HELD} #fault:webhook-lost")
    wait_until(lambda: sent(portal, job), 10, "The request")
    portal.kill("edits")
    portal.start("edits")
    wait_for(job, JobState.UNCONFIRMED)
    time.sleep(3)  # the clock ticks thirty times a second, and every look must leave it alone
    wait_for(job, JobState.UNCONFIRMED)
    assert len(portal.accepted_for(job)) == 1
    GenerationJob.objects.filter(pk=job.pk).update(due_at=job.created_at, deadline_at=job.created_at)  # 24 hours later
    wait_until(lambda: GenerationJob.objects.get(pk=job.pk).failure_code == "unconfirmed", 10, "The end")


def test_edits_go_on_while_their_worker_is_killed_again_and_again(portal: Portal, person: User, picture: Image) -> None:
    jobs = [ask(picture, f"pencil sketch {number}") for number in range(4)]
    for _ in range(2):
        time.sleep(0.7)
        portal.kill("edits")
        portal.start("edits")
    for job in jobs:
        wait_for(job, JobState.SUCCEEDED, JobState.UNCONFIRMED, within=30)
        assert len(portal.accepted_for(job)) <= 1
        if job.state == JobState.UNCONFIRMED:  # cut off before the request, or before its answer: nobody knows which
            GenerationJob.objects.filter(pk=job.pk).update(due_at=job.created_at, deadline_at=job.created_at)


def test_edit_goes_on_after_web_was_killed(portal: Portal, picture: Image) -> None:
    job = ask(picture, HELD)
    wait_until(lambda: sent(portal, job), 10, "The request")
    portal.kill("web")  # nobody is there to hear the webhook
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1


def test_edit_whose_source_nobody_delivers_fails_unsent_and_free_of_charge(portal: Portal, picture: Image) -> None:
    portal.kill("web")  # the flux server can't fetch the source there
    job = ask(picture)
    wait_for(job, JobState.FAILED)
    assert (job.failure_code, job.allowance) == ("refused_image", Allowance.RELEASED)
    assert portal.accepted_for(job) == []
    portal.start("web")
    wait_for(ask(picture), JobState.SUCCEEDED)


def test_edit_that_nobody_rang_for_waits_for_the_clock(portal: Portal, picture: Image) -> None:
    portal.kill("clock")
    FluxServer.objects.current()
    job = ask(picture, "make it night #fault:webhook-lost")  # only the clock knows when to ask
    wait_for(job, JobState.PROCESSING)
    time.sleep(1)
    job.refresh_from_db()
    assert job.state == JobState.PROCESSING
    portal.start("clock")
    wait_for(job, JobState.SUCCEEDED)
    assert len(portal.accepted_for(job)) == 1


def test_upload_is_taken_in_after_the_worker_of_pictures_was_killed(portal: Portal, person: User) -> None:
    portal.kill("pictures")
    workspace = Workspace.objects.personal_of(person)
    images = [ingest.receive(person, workspace, as_file(jpeg(1600, 1200)), f"{number}.jpg") for number in range(4)]
    portal.start("pictures")
    time.sleep(0.3)
    portal.kill("pictures")
    portal.start("pictures")
    ready = Image.objects.filter(pk__in=[image.pk for image in images], state=ImageState.READY)
    wait_until(lambda: ready.count() == 4, 20, "Four ready pictures")
