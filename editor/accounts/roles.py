"""Staff roles: groups that every `migrate` makes and keeps as this table says, which `docs/staff.md` repeats.

A person may have several. Superusers are above all of them, and nobody else gives roles or rights.
"""

from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.apps.registry import apps as all_apps
from django.contrib.auth.management import create_permissions
from django.db.models import Exists, OuterRef, QuerySet

from editor.models import User

MODERATOR, OPERATOR, ADMINISTRATOR = "Moderator", "Operator", "Administrator"

ROLES: dict[str, set[str]] = {
    MODERATOR: {
        "moderate",
        "view_image",
        "view_generationjob",
        "view_promptrule", "add_promptrule", "change_promptrule",
        "view_moderationcase",
        "view_decision",
    },
    OPERATOR: {
        "operate",
        "view_fluxserver", "change_fluxserver",
        "view_attempt",
        "view_webhookevent",
        "view_generationjob",
    },
    ADMINISTRATOR: {
        "administer",
        "view_user", "add_user", "change_user",
        "view_workspace", "change_workspace",
        "view_membership",
        "view_allowanceentry",
        "view_invitation", "add_invitation", "change_invitation", "delete_invitation",
        "view_promptrule", "add_promptrule", "change_promptrule",
        "view_auditentry",
        "view_setting", "change_setting",
    },
}  # fmt: skip
"""Code names of this app's permissions, by role."""


def keep_roles(app_config: AppConfig, using: str = "default", apps: Apps = all_apps, **kwargs: Any) -> None:
    """After `migrate`: each role is there and may do what the table says, no more and no less."""
    # Django makes the permissions in a receiver of its own, which may come after this one.
    create_permissions(app_config, verbosity=0, using=using, apps=apps)
    try:
        groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:  # migrated back to before there were any
        return
    for name, codenames in ROLES.items():
        role, _ = groups._default_manager.using(using).get_or_create(name=name)
        allowed = permissions._default_manager.using(using).filter(
            content_type__app_label=app_config.label, codename__in=codenames
        )
        role.permissions.set(allowed)


def belongs_to_staff(user: User) -> bool:
    """Whether an account carries any right beyond everybody's; superusers alone change such accounts."""
    return user.is_staff or user.is_superuser or user.groups.exists() or user.user_permissions.exists()


def ordinary(people: QuerySet[User]) -> QuerySet[User]:
    """Those of them who are everybody's like: without any right in the administration or at the desk."""
    roles = User.groups.through.objects.filter(user=OuterRef("pk"))
    rights = User.user_permissions.through.objects.filter(user=OuterRef("pk"))
    return people.filter(~Exists(roles), ~Exists(rights), is_staff=False, is_superuser=False)
