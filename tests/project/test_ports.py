"""Ports: free ones are found, and kept."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.embedded.ports import Claims, NoFreePortError, PortBook, all_free, is_free, successive


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_taken_port_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_taken_port_is_skipped(book: PortBook, taken: int) -> None:
    assert book.take("web", successive(taken)) > taken


def test_port_is_the_same_next_time(book: PortBook, taken: int) -> None:
    first = book.take("web", successive(taken))
    assert PortBook(book.path).take("web", successive(8000)) == first


def test_kept_port_that_is_taken_now_is_given_up(book: PortBook, taken: int) -> None:
    book.path.write_text(f'{{"web": {taken}}}')
    assert book.take("web", successive(taken + 1)) != taken


def test_kept_port_that_is_to_be_avoided_is_given_up(book: PortBook) -> None:
    first = book.take("s3", successive(20_000), offsets=(0, 1))
    assert book.take("s3", successive(20_000), offsets=(0, 1), avoid={first + 1}) > first + 1


def test_two_names_never_share_a_port(book: PortBook) -> None:
    assert book.take("web", successive(20_000)) != book.take("sandbox", successive(20_000))


def test_a_taken_neighbour_counts(taken: int) -> None:
    assert not all_free(taken - 3, offsets=(0, 3))


def test_nothing_free_is_said(book: PortBook, taken: int) -> None:
    with pytest.raises(NoFreePortError, match="web"):
        book.take("web", [taken])


def test_damaged_book_is_started_anew(book: PortBook) -> None:
    book.path.write_text("{half")
    assert book.take("web", successive(20_000)) >= 20_000


def test_two_starts_at_the_same_moment_take_different_ports(tmp_path: Path) -> None:
    """Neither listens yet: the first start of a portal takes a minute until its web process does."""
    claims = Claims(), Claims()
    one, other = (
        PortBook(tmp_path / f"{n}.json", claim).take("web", successive(20_300)) for n, claim in enumerate(claims)
    )
    assert one != other
    claims[0].let_go()
    third = Claims()
    assert PortBook(tmp_path / "3.json", third).take("web", successive(20_300)) == one
    claims[1].let_go()
    third.let_go()
