"""Pictures that somebody looks at before anybody but their maker sees them: why, and the cases for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from editor.library.perceptual import Parts
from editor.models import Cause, Image, User, Workspace
from editor.moderation import fingerprints
from editor.moderation.cases import open_case
from editor.moderation.trust import looked_at_first


@dataclass(frozen=True)
class Reason:
    """Why a picture waits for a look. `person`: whose case it is, where that is not its maker's."""

    cause: Cause
    key: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    person: User | None = None


def of_trust(user: User, workspace: Workspace) -> list[Reason]:
    if not looked_at_first(user, workspace):
        return []
    return [Reason(Cause.TRUST, key=user.trust, details={"trust": user.trust}, person=user)]


def of_sources(sources: Sequence[Image]) -> list[Reason]:
    """Of a result: one of its sources was removed while the edit was under way, or waits for a look itself."""
    for source in sources:
        if source.removed_at is not None or source.withheld_at is not None:
            state = "removed" if source.removed_at is not None else "withheld"
            return [Reason(Cause.DESCENDANT, key=str(source.pk), details={"of": str(source.pk), "source": state})]
    return []


def of_likeness(*, raw_sha256: str = "", master_sha256: str = "", looks: Parts | None) -> list[Reason]:
    """It is a removed picture, or looks like one."""
    found = fingerprints.match(raw_sha256=raw_sha256, master_sha256=master_sha256, looks=looks)
    if found is None:
        return []
    details = {"of": str(found.fingerprint.image_id), "distance": found.distance or 0, "exact": found.is_exact}
    return [Reason(Cause.FINGERPRINT, key=str(found.fingerprint.pk), details=details)]


def withhold(image: Image, reasons: Iterable[Reason]) -> bool:
    """Keep it back from all but its maker, with a case for each reason; in the transaction of what made it."""
    found = list(reasons)
    if not found:
        return False
    image.withheld_at = timezone.now()
    Image.objects.filter(pk=image.pk).update(withheld_at=image.withheld_at)
    for each in found:
        open_case(each.cause, each.person or image.made_by, image=image, key=each.key, details=each.details)
    return True


def withhold_moved(user: User, images: Iterable[Image], to: Workspace) -> None:
    """Pictures that somebody took out of a personal workspace, where nobody else has seen them."""
    reasons = of_trust(user, to)
    if not reasons:
        return
    for image in images:
        if image.is_ready and image.removed_at is None and image.purged_at is None:
            withhold(image, reasons)
