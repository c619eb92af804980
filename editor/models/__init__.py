"""The rows: every fact about people, pictures and jobs."""

from editor.models.attempts import COUNTING, Attempt, AttemptState, WebhookEvent
from editor.models.flux_servers import FluxServer
from editor.models.images import Image, ImageKind, ImageState
from editor.models.jobs import FINAL, OPEN, WITH_VENDOR, Allowance, GenerationJob, JobSource, JobState
from editor.models.users import Invitation, User
from editor.models.workspaces import LastOwner, Membership, Role, Workspace, WorkspaceInvitation

__all__ = [
    "COUNTING",
    "FINAL",
    "OPEN",
    "WITH_VENDOR",
    "Allowance",
    "Attempt",
    "AttemptState",
    "FluxServer",
    "GenerationJob",
    "Image",
    "ImageKind",
    "ImageState",
    "Invitation",
    "JobSource",
    "JobState",
    "LastOwner",
    "Membership",
    "Role",
    "User",
    "WebhookEvent",
    "Workspace",
    "WorkspaceInvitation",
]
