"""The inbox, on a real S3 server whose keys may do different things."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from editor.images import bucket, inbox, inbox_rights, keys
from editor.images.bucket import BucketUnavailable, Denied
from editor.images.download import NotThereYet, TooLarge
from tests import inbox as stores
from tests.inbox import INBOX, PICTURES, Store

FUTURE = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def running_store() -> Iterator[Store]:
    with stores.running() as store:
        yield store


@pytest.fixture
def store(running_store: Store, settings: Settings) -> Store:
    running_store.empty()
    running_store.use(settings)
    return running_store


@pytest.fixture
def _example(settings: Settings) -> None:
    settings.FLUX_INBOX = True
    settings.FLUX_INBOX_DIRECTORY = "results"
    settings.FLUX_INBOX_PUBLIC_URL = "https://inbox.example.com/pub"


@pytest.mark.usefixtures("_example")
@pytest.mark.parametrize(
    ("link", "key"),
    [
        ("https://inbox.example.com/pub/results/6b0f-0.png", "results/6b0f-0.png"),
        ("https://inbox.example.com/pub/results/2026/11/6b0f", "results/2026/11/6b0f"),
        ("https://inbox.example.com/pub/results/", None),
        ("https://inbox.example.com/pub/results", None),
        ("https://inbox.example.com/pub/other/a.png", None),
        ("https://inbox.example.com/pub/resultsx/a.png", None),
        ("https://inbox.example.com/results/a.png", None),
        ("https://inbox.example.com.evil.example/pub/results/a.png", None),
        ("https://inbox.example.com:444/pub/results/a.png", None),
        ("https://me@inbox.example.com/pub/results/a.png", None),
        ("http://inbox.example.com/pub/results/a.png", None),
        ("https://inbox.example.com/pub/results/../other/a.png", None),
        ("https://inbox.example.com/pub/results/./a.png", None),
        ("https://inbox.example.com/pub/results/.hidden", None),
        ("https://inbox.example.com/pub/results/%2e%2e/other/a.png", None),
        ("https://inbox.example.com/pub/results/a%2Fb.png", None),
        ("https://inbox.example.com/pub/results//a.png", None),
        ("https://inbox.example.com/pub//results/a.png", None),
        ("https://inbox.example.com/pub/results/a\\..\\b.png", None),
        ("https://inbox.example.com/pub/results/a.png?x=1", None),
        ("https://inbox.example.com/pub/results/a.png\n", None),
        ("https://inbox.example.com/pub/results/" + "a" * 501, None),
        ("", None),
    ],
)
def test_only_exact_links_are_keys_of_the_inbox(link: str, key: str | None) -> None:
    assert inbox.key_of(link) == key


@pytest.mark.usefixtures("_example")
def test_without_an_inbox_no_link_is_its_own(settings: Settings) -> None:
    settings.FLUX_INBOX = False
    assert inbox.key_of("https://inbox.example.com/pub/results/a.png") is None


def test_result_is_copied_without_what_was_said_about_it(store: Store) -> None:
    image_id = uuid4()
    page: Any = {"ContentType": "text/html", "CacheControl": "public", "Metadata": {"theirs": "1"}}
    store.client(stores.THEIRS).put_object(Bucket=INBOX, Key="results/a.png", Body=b"pixels", **page)
    assert inbox.take_over("results/a.png", image_id, max_bytes=6) == b"pixels"
    head = store.client().head_object(Bucket=PICTURES, Key=keys.raw_key(image_id))
    assert head["ContentType"] == "application/octet-stream"
    assert not head["Metadata"]
    assert "CacheControl" not in head


def test_result_that_is_too_large_is_not_copied(store: Store) -> None:
    image_id = uuid4()
    store.put("results/a.png", b"1234567")
    with pytest.raises(TooLarge):
        inbox.take_over("results/a.png", image_id, max_bytes=6)
    assert store.keys(PICTURES) == []


def test_result_that_grew_after_it_was_measured_is_not_copied(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("results/a.png", b"123456")
    with bucket.talking("the inbox") as (client, _):
        measure = client.head_object

    def grown(**what: Any) -> Any:
        found = measure(**what)
        store.put("results/a.png", b"1234567")
        return found

    monkeypatch.setattr(client, "head_object", grown)
    with pytest.raises(BucketUnavailable, match="PreconditionFailed"):
        inbox.take_over("results/a.png", uuid4(), max_bytes=6)
    assert store.keys(PICTURES) == []


def test_result_as_text_is_unpacked(store: Store) -> None:
    store.put("results/a.base64", base64.b64encode(b"pixels"))
    assert inbox.take_over("results/a.base64", uuid4(), max_bytes=6) == b"pixels"


def test_result_that_is_not_there_yet_may_come(store: Store) -> None:
    with pytest.raises(NotThereYet):
        inbox.take_over("results/a.png", uuid4(), max_bytes=6)


def test_key_that_may_not_read_the_inbox_is_denied(store: Store, settings: Settings) -> None:
    store.put("results/a.png")
    store.use(settings, ours=stores.SHUT_OUT)
    with pytest.raises(Denied):
        inbox.take_over("results/a.png", uuid4(), max_bytes=60)


def test_only_the_folder_is_ever_forgotten(store: Store) -> None:
    for key in ("results/a", "results/b", "resultsx/a", "other"):
        store.put(key)
    inbox.forget(["results/a", "results/gone", "resultsx/a", "other"])
    assert store.keys() == ["other", "results/b", "resultsx/a"]


def test_sweep_takes_what_is_old_and_nothing_outside_the_folder(store: Store) -> None:
    for key in ("results/a", "results/deep/b", "resultsx/a", "a"):
        store.put(key)
    assert inbox.sweep(datetime.now(UTC) - timedelta(days=2)) == (0, "")
    assert inbox.sweep(FUTURE) == (2, "")
    assert store.keys() == ["a", "resultsx/a"]


def test_sweep_goes_on_where_it_stopped(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PAGE", 2)
    monkeypatch.setattr(inbox, "MOST_PAGES", 2)
    for number in range(7):
        store.put(f"results/{number}")
    long_ago = datetime.now(UTC) - timedelta(days=2)
    assert inbox.sweep(long_ago) == (0, "results/3")
    assert inbox.sweep(long_ago, "results/3") == (0, "")
    assert inbox.sweep(FUTURE) == (4, "results/3")
    assert inbox.sweep(FUTURE, "results/3") == (3, "")


def test_contents_are_counted(store: Store) -> None:
    assert inbox.contents() == inbox.Contents(0, None, more=False)
    for key in ("results/a", "results/b", "a"):
        store.put(key)
    found = inbox.contents()
    assert (found.count, found.more) == (2, False)
    assert found.oldest is not None
    assert abs(found.oldest - datetime.now(UTC)) < timedelta(minutes=1)


def test_good_keys_pass_and_nothing_is_left_behind(store: Store) -> None:
    assert inbox_rights.check() == []
    assert store.keys() == store.keys(PICTURES) == []


@pytest.mark.parametrize(
    ("theirs", "sentence"),
    [
        (stores.READS_ONLY, r"can't write \(PutObject\) in inbox"),
        (stores.SEES_PICTURES, "can read in pictures, where people's pictures are"),
        (stores.WRITES_PICTURES, "can write in pictures, where people's pictures are"),
        (stores.PORTAL, "can list in pictures"),
    ],
)
def test_key_that_may_too_little_or_too_much_is_not_handed_out(
    store: Store, settings: Settings, theirs: str, sentence: str
) -> None:
    store.use(settings, theirs=theirs)
    with pytest.raises(inbox_rights.Unfit, match=sentence):
        inbox_rights.check()
    assert store.keys() == store.keys(PICTURES) == []


def test_wrong_secret_is_not_handed_out(store: Store, settings: Settings) -> None:
    settings.FLUX_INBOX_SECRET_ACCESS_KEY = "wrong-secret"
    with pytest.raises(inbox_rights.Unfit, match="SignatureDoesNotMatch") as caught:
        inbox_rights.check()
    assert "wrong-secret" not in str(caught.value)


def test_our_own_key_must_reach_the_inbox(store: Store, settings: Settings) -> None:
    store.use(settings, ours=stores.SHUT_OUT)
    with pytest.raises(inbox_rights.Unfit, match=r"Our own key can't list in inbox.*Allow S3_ACCESS_KEY_ID"):
        inbox_rights.check()
    settings.FLUX_INBOX_BUCKET = "never-made"
    with pytest.raises(inbox_rights.Unfit):
        inbox_rights.check()


def test_inbox_that_nobody_can_read_is_odd_but_may_do(store: Store, settings: Settings) -> None:
    settings.FLUX_INBOX_PUBLIC_URL = f"{store.endpoint_url}/{PICTURES}"  # private
    assert ["HTTP 403" in sentence for sentence in inbox_rights.check()] == [True]


def test_key_that_can_not_say_who_may_read_is_odd_but_may_do(store: Store, settings: Settings) -> None:
    store.use(settings, theirs=stores.NO_ACL)
    assert ["PutObjectAcl: AccessDenied" in sentence for sentence in inbox_rights.check()] == [True]


def test_dead_store_is_unavailable(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "ATTEMPTS", 1)
    store.use(settings, down=True)
    with pytest.raises(BucketUnavailable):
        inbox.take_over("results/a", uuid4(), max_bytes=6)
    with pytest.raises(BucketUnavailable):
        inbox.sweep(FUTURE)
