"""Asking for a picture's approval, and deciding on it."""

from typing import Any

from editor.models import Image
from editor.views.frame import PersonRequest


def approval_section(request: PersonRequest, image: Image) -> dict[str, Any]:
    """What `pictures/approval.html` shows on a picture's page."""
    return {}
