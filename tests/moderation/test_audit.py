"""The audit log: a chain in which nothing can be changed, taken out or cut off unnoticed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from editor.models import AuditEntry, AuditHead
from editor.moderation import audit
from tests.people import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> list[AuditEntry]:
    person = make_person("moderator")
    return [audit.record(person, "case.decided", person, f"Entry {n}", number=n, names=["a", "ü"]) for n in (1, 2, 3)]


@pytest.fixture
def owner_of_the_database(log: list[AuditEntry]) -> None:
    """Somebody whom not even PostgreSQL's own guard keeps from the entries."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = 'replica'")


def test_chain_that_nobody_touched_holds(log: list[AuditEntry]) -> None:
    assert [entry.number for entry in log] == [1, 2, 3]
    assert log[1].previous == log[0].hash
    assert list(audit.verify()) == []


def test_changed_entry_is_found(log: list[AuditEntry], owner_of_the_database: None) -> None:
    AuditEntry.objects.filter(number=2).update(words="Nothing happened")
    assert list(audit.verify()) == ["Entry 2 was changed."]


def test_entry_that_was_taken_out_is_found(log: list[AuditEntry], owner_of_the_database: None) -> None:
    AuditEntry.objects.filter(number=2).delete()
    assert "Entry 2 is missing." in list(audit.verify())


def test_end_that_was_cut_off_is_found(log: list[AuditEntry], owner_of_the_database: None) -> None:
    AuditEntry.objects.filter(number=3).delete()
    assert list(audit.verify()) == ["The log should end with entry 3; it ends with 2."]


def test_entry_with_a_fresh_hash_does_not_fit_its_neighbours(
    log: list[AuditEntry], owner_of_the_database: None
) -> None:
    forged = log[0]
    forged.words = "Nothing happened"
    AuditEntry.objects.filter(number=1).update(words=forged.words, hash=audit.hash_of(forged))
    assert list(audit.verify()) == ["Entry 2 does not follow the one before it."]


def test_entry_can_be_neither_saved_again_nor_deleted(log: list[AuditEntry]) -> None:
    with pytest.raises(TypeError):
        log[0].save()
    with pytest.raises(TypeError):
        log[0].delete()


@pytest.mark.django_db(transaction=True)
def test_entries_written_at_once_come_one_after_the_other() -> None:
    person = make_person("moderator")

    def write(number: int) -> None:
        try:
            audit.record(person, "case.decided", words=str(number))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    assert AuditHead.objects.get().length == 12
    assert list(audit.verify()) == []
