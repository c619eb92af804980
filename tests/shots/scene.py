"""What is taken: one page as one person sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.demo.browser import Browser

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass(frozen=True)
class Scene:
    """One page as one person sees it, after something was done there."""

    name: str
    browser: Browser
    path: str
    does: Callable[["Page"], object] = lambda page: None
