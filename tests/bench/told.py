"""The activity of a workspace and a person's notifications, with a thousand rows of each kind and with a million."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from django.utils import timezone

from editor.models import About, ApprovalEvent, Comment, Image, Membership, Notification, Role, User, Workspace
from tests.bench.library import analyze
from tests.bench.pages import FEW, Load, loader, measured, queries
from tests.bench.stage import Stage
from tests.bench.table import Row, milliseconds
from tests.makers import make_image, make_user
from tests.portal import Portal, SandboxOptions

MANY = 1_000_000
BATCH = 10_000
MOST_QUERIES = {"activity": 16, "notifications": 12}


class Filled(NamedTuple):
    reader: User
    workspace: Workspace


def measure(stage: Stage) -> list[Row]:
    with stage.portal(SandboxOptions(), only=("redis", "sandbox", "web")) as portal:
        few, many = fill(FEW), fill(MANY)
        analyze()
        half = (timezone.now() - timedelta(minutes=FEW // 2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return [
            compare(portal, "activity", few, many, "/workspaces/{f.workspace.pk}/activity/"),
            compare(portal, "activity", few, many, f"/workspaces/{{f.workspace.pk}}/activity/?before={half}"),
            compare(portal, "notifications", few, many, "/notifications/"),
            compare(portal, "notifications", few, many, "/notifications/panel/"),
        ]


def compare(portal: Portal, name: str, few: Filled, many: Filled, path: str) -> Row:
    small, large = path.format(f=few), path.format(f=many)
    loads: dict[str, Load] = {"few": loader(portal, few.reader, small), "many": loader(portal, many.reader, large)}
    found, asked = measured(loads), queries(many.reader, large)
    part = path.rsplit("/", 2)[-1] or path.rsplit("/", 2)[-2]
    most = MOST_QUERIES[name]
    return Row(
        f"{name} ({part}), {MANY:,} rows of each kind",
        milliseconds(found["many"]),
        f"{milliseconds(found['few'])} with {FEW:,}; {len(asked)} queries",
        f"≤ 1.3 ×, ≤ {most}",
        found["many"] <= 1.3 * found["few"] and len(asked) <= most,
    )


def fill(count: int) -> Filled:
    """So many pictures, comments, decisions and notifications about them, a minute apart."""
    owner, reader = make_user(f"told{count}@example.com"), make_user(f"reader{count}@example.com")
    workspace = Workspace.objects.found(owner, f"{count} told")
    Membership.objects.create(workspace=workspace, user=reader, role=Role.EDITOR)
    pattern, now = make_image(owner, workspace=workspace), timezone.now()
    copied = {
        field.attname: getattr(pattern, field.attname) for field in Image._meta.concrete_fields if field.name != "id"
    }
    for begin in range(0, count, BATCH):
        moments = [now - timedelta(minutes=number) for number in range(begin, min(begin + BATCH, count))]
        images = [Image(**copied | {"id": uuid4(), "created_at": moment}) for moment in moments]
        Image.objects.bulk_create(images)
        about: list[dict[str, Any]] = [{"image": image, "workspace": workspace} for image in images]
        pairs = list(zip(about, moments, strict=True))
        Comment.objects.bulk_create(
            Comment(**each, made_by=owner, text="Brighter", created_at=moment) for each, moment in pairs
        )
        ApprovalEvent.objects.bulk_create(
            ApprovalEvent(**each, kind="approved", by=owner, at=moment) for each, moment in pairs
        )
        Notification.objects.bulk_create(
            Notification(
                **each, person=reader, about=About.COMMENT, subject=f"image:{each['image'].pk}", by=owner,
                words="Somebody commented", created_at=moment,
            )
            for each, moment in pairs
        )  # fmt: skip
    return Filled(reader, workspace)
