"""A team: alice owns it, adam is an admin, edda an editor, vera and vic look on; and a picture of edda's."""

from types import SimpleNamespace
from typing import Any

from editor.models import Image, Membership, Role, User, Workspace
from tests.makers import make_image
from tests.people import make_person

ROLES = {"alice": Role.OWNER, "adam": Role.ADMIN, "edda": Role.EDITOR, "vera": Role.VIEWER, "vic": Role.VIEWER}


class Team(SimpleNamespace):
    workspace: Workspace
    alice: User
    adam: User
    edda: User
    vera: User
    vic: User

    def picture(self, **fields: Any) -> Image:
        return make_image(fields.pop("made_by", self.edda), workspace=self.workspace, **fields)


def make_team() -> Team:
    workspace = Workspace.objects.create(name="Team")
    people = {name: make_person(name) for name in ROLES}
    for name, role in ROLES.items():
        Membership.objects.create(workspace=workspace, user=people[name], role=role)
    return Team(workspace=workspace, **people)
