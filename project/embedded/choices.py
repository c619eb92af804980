"""Which parts the environment names, and which are embedded because it does not."""

from collections.abc import Mapping
from dataclasses import dataclass

# A group is given as a whole or not at all: any name of it asks for all of the names on the right.
GROUPS = {
    "an S3 server": (
        ("S3_ENDPOINT_URL", "S3_REGION", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_PUBLIC"),
        ("S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"),
    ),
    "a flux server": (("FLUX_API_KEY", "FLUX_BASE_URL", "FLUX_UPLOAD_URL"), ("FLUX_API_KEY",)),
}


class ChoiceError(ValueError):
    """Half of something is given; the text is a sentence for each and names what is missing."""


@dataclass(frozen=True)
class Embedded:
    """True means: we start it ourselves."""

    redis: bool
    s3: bool
    database: bool
    sandbox: bool


def choose(environ: Mapping[str, str]) -> Embedded:
    """Read the environment; raises ChoiceError rather than silently embedding what somebody meant to bring."""
    sentences = []
    for what, (names, needed) in GROUPS.items():
        given = [name for name in names if is_given(environ, name)]
        missing = [name for name in needed if not is_given(environ, name)]
        if given and missing:
            sentences.append(
                f"{listing(given)} {'names' if len(given) == 1 else 'name'} {what}, but {listing(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} not set: set {'it' if len(missing) == 1 else 'them'} too, "
                f"or unset {listing(given)} to use the embedded one."
            )
    if sentences:
        raise ChoiceError(" ".join(sentences))
    return Embedded(
        redis=not is_given(environ, "REDIS_URL"),
        s3=not is_given(environ, "S3_BUCKET"),
        database=not is_given(environ, "DATABASE_URL"),
        sandbox=not is_given(environ, "FLUX_API_KEY"),
    )


def is_given(environ: Mapping[str, str], name: str) -> bool:
    """Whether a variable says anything; a blank one is as good as none."""
    return bool(environ.get(name, "").strip())


def listing(names: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
