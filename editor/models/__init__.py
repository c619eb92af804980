"""The rows: every fact about people, pictures and jobs."""

from editor.models.allowances import Allowance, AllowanceEntry, Usage
from editor.models.attempts import COUNTING, Attempt, AttemptState, WebhookEvent
from editor.models.flux_servers import FluxServer
from editor.models.images import Consent, Image, ImageKind, ImageState, Licence, Shape
from editor.models.jobs import FINAL, OPEN, WITH_VENDOR, GenerationJob, JobSource, JobState
from editor.models.library import Collection, CollectionItem, Favourite, ImageTag, ImageWord, Tag
from editor.models.users import Invitation, User
from editor.models.workspaces import LastOwner, Membership, Role, Workspace, WorkspaceInvitation

__all__ = [
    "COUNTING",
    "FINAL",
    "OPEN",
    "WITH_VENDOR",
    "Allowance",
    "AllowanceEntry",
    "Attempt",
    "AttemptState",
    "Collection",
    "CollectionItem",
    "Consent",
    "Favourite",
    "FluxServer",
    "GenerationJob",
    "Image",
    "ImageKind",
    "ImageState",
    "ImageTag",
    "ImageWord",
    "Invitation",
    "JobSource",
    "JobState",
    "LastOwner",
    "Licence",
    "Membership",
    "Role",
    "Shape",
    "Tag",
    "Usage",
    "User",
    "WebhookEvent",
    "Workspace",
    "WorkspaceInvitation",
]
