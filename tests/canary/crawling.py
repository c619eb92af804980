"""Walks through the portal's pages as a signed-in person does, link by link."""

import re
from collections import Counter, deque
from collections.abc import Iterable
from html import unescape
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings

from editor.models import User
from tests.canary.searching import Thing
from tests.people import client_of

LINK = re.compile(rb"""(?:href|src|hx-get)=["']([^"'#]+)""")
NUMBER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|\d+")
LEFT_OUT = ("/static/", "/account/logout", "/admin/logout", "/samples/")
MOST_ALIKE = 30  # pages that differ only in a number or an id


class Walk:
    """`pages` are all that were seen, with their headers; `statuses` counts what they were answered with."""

    def __init__(self, url: str, user: User | None) -> None:
        self.url = url
        self.pages: list[Thing] = []
        self.statuses: Counter[int] = Counter()
        self.paths: set[str] = set()
        self._session = requests.Session()
        if user is not None:
            name = settings.SESSION_COOKIE_NAME
            self._session.cookies.set(name, client_of(user).cookies[name].value)
        self._alike: Counter[str] = Counter()

    def through(self, starts: Iterable[str], most: int) -> "Walk":
        """Look at these and at what they lead to, at most so many more."""
        waiting = deque(starts)
        most += len(waiting)
        with self._session:
            while waiting and len(self.paths) < most:
                waiting.extend(self._look(waiting.popleft()))
        return self

    def _look(self, path: str) -> list[str]:
        if path in self.paths or path.startswith(LEFT_OUT):
            return []
        alike = NUMBER.sub("*", path)
        self._alike[alike] += 1
        if self._alike[alike] > MOST_ALIKE:
            return []
        self.paths.add(path)
        answer = self._session.get(self.url + path, allow_redirects=False, timeout=60)
        headers = repr({**answer.headers, "Set-Cookie": ""}).encode()
        self.pages.append(Thing(f"{answer.status_code} {path}", headers + answer.content))
        self.statuses[answer.status_code] += 1
        found = [unescape(link.decode(errors="replace")) for link in LINK.findall(answer.content)]
        if "html" not in answer.headers.get("Content-Type", ""):
            found = []
        found += filter(None, [answer.headers.get("Location")])
        return [self._path(path, link) for link in found if self._here(path, link)]

    def _here(self, path: str, link: str) -> bool:
        return urljoin(self.url + path, link).startswith(self.url + "/")

    def _path(self, path: str, link: str) -> str:
        parts = urlsplit(urljoin(self.url + path, link))
        return parts.path + (f"?{parts.query}" if parts.query else "")
