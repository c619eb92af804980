"""What our requests to the flux server say of us."""

import pytest
from pytest_django import Settings

from editor.jobs import vendor
from editor.models import User
from tests.makers import make_attempt, make_job

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("seen_at", "called"),
    [
        ("https://retake.example.com", True),
        ("http://127.0.0.1:8000", True),
        ("http://retake.example.com", False),  # refused by the vendor: it calls https alone
        ("http://10.0.0.5:8000", False),
        ("", False),
    ],
)
def test_webhook_is_asked_for_where_the_vendor_would_call_it(
    seen_at: str, called: bool, alice: User, settings: Settings
) -> None:
    settings.FLUX_SEES_US_AT = seen_at
    attempt = make_attempt(make_job(alice))
    link = vendor.webhook_link(attempt)
    assert (link is not None) == called
    if link is not None:
        assert link == f"{seen_at}/hooks/flux/{attempt.secret}/"


def test_client_cuts_the_key_of_the_inbox_out_of_what_it_keeps(settings: Settings) -> None:
    settings.FLUX_INBOX = True
    settings.FLUX_INBOX_ACCESS_KEY_ID, settings.FLUX_INBOX_SECRET_ACCESS_KEY = "their-key-id", "their-secret"
    client = vendor.client()
    kept = client._secrets.cut_from("their-key-id and their-secret")
    assert "their" not in kept
