"""Links for people outside, as members make and revoke them."""

from typing import Any

from editor.models import Image
from editor.views.frame import PersonRequest


def shares_section(request: PersonRequest, image: Image) -> dict[str, Any]:
    """What `pictures/shares.html` shows on a picture's page."""
    return {}
