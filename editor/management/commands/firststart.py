"""`manage.py firststart`: the first administrator, with a password drawn here and known nowhere else."""

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from editor.accounts.addresses import normal_address
from editor.models import User, Workspace


class Command(BaseCommand):
    help = "Make the first administrator, if there is none; the password is in VAR_DIR/first-administrator.txt."

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(settings.VAR_DIR) / "first-administrator.txt"
        if self._there_is_one():
            self._say_where(file)
            return
        address, password = chosen_address(), secrets.token_urlsafe(12)
        try:
            make_administrator(address, password, file)
        except IntegrityError as error:
            if not self._there_is_one():
                raise CommandError(
                    f"{address} is an ordinary account already. Name another address in FIRST_ADMIN_EMAIL."
                ) from error
            self._say_where(file)  # a start at the same moment was first
            return
        self.stdout.write(f"The administrator is {address} with the password {password}")
        self.stdout.write(f"Both are in {file} too; remove it when you have them.")

    def _there_is_one(self) -> bool:
        return User.objects.filter(is_superuser=True).exists()

    def _say_where(self, file: Path) -> None:
        if file.exists():
            self.stdout.write(f"The administrator's first password is in {file}")


def chosen_address() -> str:
    """FIRST_ADMIN_EMAIL, or admin@ the portal's own domain. Raises CommandError."""
    address = settings.FIRST_ADMIN_EMAIL or f"admin@{own_domain()}"
    try:
        address = normal_address(address)
        validate_email(address)
    except ValidationError as error:
        raise CommandError("FIRST_ADMIN_EMAIL is not an e-mail address.") from error
    return address


def own_domain() -> str:
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host if "." in host else "retake.example"
    return "retake.example"


def make_administrator(address: str, password: str, file: Path) -> None:
    """The account and the file, both or neither. Raises IntegrityError if the address is taken.

    The row comes first: whoever writes it second, in a start at the same moment, stops before touching the file.
    """
    with transaction.atomic():
        user = User.objects.create_superuser(address, password, name="Administrator")
        EmailAddress.objects.create(user=user, email=address, primary=True, verified=True)
        Workspace.objects.personal_of(user)
        write_privately(file, f"{settings.PUBLIC_URL}/account/login/\naddress:  {address}\npassword: {password}\n")


def write_privately(file: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)
