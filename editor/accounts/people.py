"""Accounts that are made or changed by an administrator, who vouches for the address."""

from allauth.account.models import EmailAddress
from django.db import transaction

from editor.models import User, Workspace


def is_taken(address: str, *, by_another_than: User) -> bool:
    """Whether this (normal) address belongs to another account."""
    others = User.objects.exclude(pk=by_another_than.pk).filter(email=address)
    proven = EmailAddress.objects.exclude(user_id=by_another_than.pk).filter(email=address, verified=True)
    return others.exists() or proven.exists()


@transaction.atomic
def prove_address(user: User) -> None:
    """The account's address is the one that it signs in with, and no older one does any more."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"primary": True, "verified": True})


@transaction.atomic
def open_account(user: User) -> None:
    """Save a new account: without a password until its owner chooses one, with a workspace of its own."""
    user.set_unusable_password()
    user.save()
    prove_address(user)
    Workspace.objects.personal_of(user)
