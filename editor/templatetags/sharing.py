"""What templates about links need to say."""

from django import template
from django.urls import reverse

from editor.accounts.links import public_url
from editor.models import Image, Share

register = template.Library()


@register.simple_tag
def shared_picture(share: Share, image: Image, width: int) -> str:
    """Where whoever has the link finds the picture at about this width."""
    return reverse("shared_rendition", args=[share.token, image.pk, width])


@register.filter
def share_address(share: Share) -> str:
    """What is passed on."""
    return public_url("shared", token=share.token)
