"""A proposed picture takes the place of the one that it replaces, wherever that is used."""

from editor.models import Review, User


def replace(review: Review, by: User) -> None:
    """Called in the transaction in which a round with `replaces` is approved, both pictures there."""
