"""Comments on a picture."""

from typing import Any

from editor.models import Image
from editor.views.frame import PersonRequest


def comments_section(request: PersonRequest, image: Image) -> dict[str, Any]:
    """What `pictures/comments.html` shows on a picture's page."""
    return {}
