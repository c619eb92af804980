"""What templates about links need to say."""

from django import template
from django.urls import reverse

from editor.accounts.links import public_url
from editor.models import Image, Share
from editor.sharing.showing import alt_of

register = template.Library()


@register.simple_tag
def shared_picture(share: Share, image: Image, width: int) -> str:
    """Where whoever has the link finds the picture at about this width."""
    return reverse("shared_rendition", args=[share.token, image.pk, width])


@register.simple_tag
def shared_alt(share: Share, image: Image, otherwise: str) -> str:
    """What stands for a picture where it can't be seen."""
    return alt_of(share, image) or otherwise


@register.filter
def share_address(share: Share) -> str:
    """What is passed on."""
    return public_url("shared", token=share.token)
