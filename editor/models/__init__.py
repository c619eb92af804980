"""The rows: every fact about people, pictures and jobs."""

from editor.models.allowances import Allowance, AllowanceEntry, Usage
from editor.models.attempts import COUNTING, Attempt, AttemptState, WebhookEvent
from editor.models.audit import AuditEntry, AuditHead
from editor.models.batches import Batch, BatchItem, ItemState
from editor.models.changes import ChangeMap, ChangeState, Extent, NoChangeMap
from editor.models.chosen import ChangedMeanwhile, Setting
from editor.models.comments import COMMENT_MAX, Comment, CommentVersion, Mention
from editor.models.downloads import DownloadPreset
from editor.models.figures import Figure, Measure
from editor.models.flux_servers import FluxServer
from editor.models.images import Consent, Image, ImageKind, ImageState, Licence, Shape
from editor.models.jobs import FINAL, OPEN, WITH_VENDOR, GenerationJob, HeldFor, JobSource, JobState
from editor.models.keeping import (
    BucketRound,
    Listed,
    Retained,
    RetentionPass,
    RetentionRule,
    Retired,
    StorageUse,
    Stray,
)
from editor.models.library import (
    Collection,
    CollectionItem,
    EditTerm,
    Favourite,
    ImageTag,
    ImageWord,
    SavedFilter,
    Tag,
)
from editor.models.marks import Mark
from editor.models.moderation import (
    Action,
    CaseState,
    Cause,
    Decision,
    Fingerprint,
    ModerationCase,
    Notice,
    Report,
    ReportReason,
)
from editor.models.notifications import About, MailedSubject, Notification, ToldBy
from editor.models.prompt_rules import PromptRule, RuleAction, RuleKind
from editor.models.recipes import Recipe, RecipeVersion
from editor.models.reviews import (
    WHY_MAX,
    Approval,
    ApprovalEvent,
    ApprovalState,
    Culling,
    ReplacedUse,
    Replacement,
    Review,
    Reviewer,
    ReviewState,
)
from editor.models.server_orders import ServerOrder
from editor.models.shares import Share, ShareKind
from editor.models.turns import Turn
from editor.models.users import Invitation, Trust, User
from editor.models.workspaces import (
    OWNED_MAX,
    FormerMember,
    LastOwner,
    Membership,
    Role,
    TooManyWorkspaces,
    Workspace,
    WorkspaceInvitation,
)

__all__ = [
    "COMMENT_MAX",
    "COUNTING",
    "FINAL",
    "OPEN",
    "OWNED_MAX",
    "WHY_MAX",
    "WITH_VENDOR",
    "About",
    "Action",
    "Allowance",
    "AllowanceEntry",
    "Approval",
    "ApprovalEvent",
    "ApprovalState",
    "Attempt",
    "AttemptState",
    "AuditEntry",
    "AuditHead",
    "Batch",
    "BatchItem",
    "BucketRound",
    "CaseState",
    "Cause",
    "ChangeMap",
    "ChangeState",
    "ChangedMeanwhile",
    "Collection",
    "CollectionItem",
    "Comment",
    "CommentVersion",
    "Consent",
    "Culling",
    "Decision",
    "DownloadPreset",
    "EditTerm",
    "Extent",
    "Favourite",
    "Figure",
    "Fingerprint",
    "FluxServer",
    "FormerMember",
    "GenerationJob",
    "HeldFor",
    "Image",
    "ImageKind",
    "ImageState",
    "ImageTag",
    "ImageWord",
    "Invitation",
    "ItemState",
    "JobSource",
    "JobState",
    "LastOwner",
    "Licence",
    "Listed",
    "MailedSubject",
    "Mark",
    "Measure",
    "Membership",
    "Mention",
    "ModerationCase",
    "NoChangeMap",
    "Notice",
    "Notification",
    "PromptRule",
    "Recipe",
    "RecipeVersion",
    "ReplacedUse",
    "Replacement",
    "Report",
    "ReportReason",
    "Retained",
    "RetentionPass",
    "RetentionRule",
    "Retired",
    "Review",
    "ReviewState",
    "Reviewer",
    "Role",
    "RuleAction",
    "RuleKind",
    "SavedFilter",
    "ServerOrder",
    "Setting",
    "Shape",
    "Share",
    "ShareKind",
    "StorageUse",
    "Stray",
    "Tag",
    "ToldBy",
    "TooManyWorkspaces",
    "Trust",
    "Turn",
    "Usage",
    "User",
    "WebhookEvent",
    "Workspace",
    "WorkspaceInvitation",
]
