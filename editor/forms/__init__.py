"""The one place where input is checked. Whatever is wrong becomes a sentence beside its field."""

from editor.forms.batches import BatchForm
from editor.forms.comments import CommentForm
from editor.forms.desk import DecisionForm, reasons_for
from editor.forms.edits import (
    PROMPT_MAX,
    SAMPLES_MAX,
    SEED_MAX,
    STRENGTH_DEFAULT,
    EditForm,
    RunAgainForm,
    UploadForm,
    draw_form_token,
)
from editor.forms.fields import NO_TEXT, PICK_ONE, RELOAD, TOO_LONG, LineField, PictureField, ProseField
from editor.forms.history import SavedFilterForm
from editor.forms.keeping import RetentionForm
from editor.forms.library import CollectionForm, PictureForm, PictureRightsForm, RightsForm, TagForm
from editor.forms.moderation import AppealForm, ReportForm
from editor.forms.recipe_files import ImportForm
from editor.forms.recipes import BaseSteps, DockForm, RecipeForm, rearranged, rows_in, steps_form
from editor.forms.shares import GuestCommentForm, GuestDecisionForm, GuestForm, ShareForm, UnlockForm
from editor.forms.variations import VariationsForm
from editor.forms.workspaces import (
    CoverForm,
    InvitationForm,
    LeavingForm,
    LinkInvitationForm,
    MailInvitationForm,
    MemberLimitForm,
    RoleForm,
    WorkspaceForm,
)

__all__ = [
    "NO_TEXT",
    "PICK_ONE",
    "PROMPT_MAX",
    "RELOAD",
    "SAMPLES_MAX",
    "SEED_MAX",
    "STRENGTH_DEFAULT",
    "TOO_LONG",
    "AppealForm",
    "BaseSteps",
    "BatchForm",
    "CollectionForm",
    "CommentForm",
    "CoverForm",
    "DecisionForm",
    "DockForm",
    "EditForm",
    "GuestCommentForm",
    "GuestDecisionForm",
    "GuestForm",
    "ImportForm",
    "InvitationForm",
    "LeavingForm",
    "LineField",
    "LinkInvitationForm",
    "MailInvitationForm",
    "MemberLimitForm",
    "PictureField",
    "PictureForm",
    "PictureRightsForm",
    "ProseField",
    "RecipeForm",
    "ReportForm",
    "RetentionForm",
    "RightsForm",
    "RoleForm",
    "RunAgainForm",
    "SavedFilterForm",
    "ShareForm",
    "TagForm",
    "UnlockForm",
    "UploadForm",
    "VariationsForm",
    "WorkspaceForm",
    "draw_form_token",
    "rearranged",
    "reasons_for",
    "rows_in",
    "steps_form",
]
