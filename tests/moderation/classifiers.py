"""Classifiers for tests, named by their dotted path."""


class Stern:
    """Finds everything worth a look."""

    def score(self, webp: bytes) -> float:
        assert webp[8:12] == b"WEBP"  # of our own making, whatever was sent
        return 0.97


class Broken:
    def score(self, webp: bytes) -> float:
        raise ValueError("no such thing")


class Lost:
    """Its package is not there."""

    needs = "no_such_package_of_anybody"

    def score(self, webp: bytes) -> float:
        return 0.0
