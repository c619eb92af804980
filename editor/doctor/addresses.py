"""Whether the flux server's webhook, and its requests for sources, would find us."""

from collections.abc import Iterator

import requests
from django.conf import settings
from django.urls import reverse

from editor.doctor.findings import Ask, Finding, fine, problem
from editor.flux.client import loopback

PATIENCE = 5.0  # seconds


def look_at_webhook(ask: Ask) -> Iterator[Finding]:
    """GET of our own address as the flux server knows it; from here, which proves nothing about the way from there."""
    ours = settings.FLUX_SEES_US_AT
    if not ours:
        yield fine("None is used: the flux server can't reach this portal, so edits are asked about.")
        return
    address = ours + reverse("healthz")
    try:
        answer = requests.get(address, timeout=PATIENCE, allow_redirects=False)
        said = f"HTTP {answer.status_code}" if answer.text.strip() != "ok" else "ok"
    except requests.RequestException as error:
        said = type(error).__name__
    if said != "ok":
        yield problem(
            f"This portal does not answer at {address} ({said}): the flux server can't fetch sources or call back.",
            "See that a web process runs, that the proxy leads to it, and that PUBLIC_URL is right.",
        )
    elif not ours.startswith("https://") and not loopback(ours):
        yield fine(f"None is used, since it needs https; sources can be fetched at {ours}.")
    else:
        yield fine(f"This portal answers at {ours}.")
