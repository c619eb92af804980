"""A browser without scripts: cookies, redirects, and forms filled in as they are served."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT = 30  # seconds
Files = dict[str, tuple[str, bytes, str]]


class JourneyError(Exception):
    """Something is not as it should be; the text is a sentence."""


@dataclass
class Form:
    """A form as it was served: where it goes and what it holds before anybody types."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)  # (name, value) of those that have a name


class Page(HTMLParser):
    """What a page offers: its forms, its links, its pictures, its text."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__()
        self.response = response
        self.url = response.url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.pictures: list[str] = []
        self._words: list[str] = []
        self._form: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._late: list[tuple[str, str, dict[str, str]]] = []
        self._select: str | None = None
        self._textarea: str | None = None
        self._silent = 0
        if "html" in response.headers.get("Content-Type", ""):
            self.feed(response.text)
        for owner, tag, attributes in self._late:  # fields that name their form by id, wherever they stand
            if owner in self._by_id:
                self._control(self._by_id[owner], tag, attributes)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def form(self, action: str) -> Form:
        """The form whose address matches this pattern; raises JourneyError."""
        for form in self.forms:
            if re.fullmatch(action, urlsplit(form.action).path):
                return form
        raise JourneyError(f"{self.url} offers no form for {action} (but {[form.action for form in self.forms]}).")

    def link(self, pattern: str) -> str | None:
        """The first address on the page whose path matches."""
        return next((link for link in self.links if re.fullmatch(pattern, urlsplit(link).path)), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self.url, attributes.get("action") or self.url)
            self._form = Form(action, attributes.get("method", "get").lower())
            self.forms.append(self._form)
            if attributes.get("id"):
                self._by_id[attributes["id"]] = self._form
        elif tag == "a" and attributes.get("href"):
            self.links.append(urljoin(self.url, attributes["href"]))
        elif tag == "img" and attributes.get("src"):
            self.pictures.append(urljoin(self.url, attributes["src"]))
        elif tag in {"script", "style"}:
            self._silent += 1
        elif tag in {"input", "select", "textarea", "button", "option"}:
            self._field(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag in {"script", "style"}:
            self._silent -= 1
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None and self._form is not None:
            self._form.fields[self._textarea] = self._form.fields.get(self._textarea, "") + data.lstrip("\r\n")
        elif not self._silent:
            self._words.append(data)

    def _field(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "select":
            self._select = attributes.get("name")
        if tag == "textarea":
            self._textarea = attributes.get("name")
        if "form" in attributes:
            self._late.append((attributes["form"], tag, attributes))
        elif self._form is not None:
            self._control(self._form, tag, attributes)

    def _control(self, form: Form, tag: str, attributes: dict[str, str]) -> None:
        name, kind = attributes.get("name", ""), attributes.get("type", "text")
        if "disabled" in attributes:
            return
        if tag == "option":
            if self._select and ("selected" in attributes or self._select not in form.fields):
                form.fields[self._select] = attributes.get("value", "")
        elif not name or tag == "select":
            return
        elif tag == "button" or kind == "submit":
            form.buttons.append((name, attributes.get("value", "")))
        elif tag == "textarea":
            form.fields.setdefault(name, "")
        elif kind in {"checkbox", "radio"}:
            if "checked" in attributes:
                form.fields[name] = attributes.get("value", "on")
        elif kind != "file":
            form.fields[name] = attributes.get("value", "")


class Browser:
    """One person's browser at one portal."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") + "/"
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands before a portal on this machine
        self._session.headers["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8"

    def get(self, path: str, *, expect: int = 200, **headers: str) -> Page:
        """Open an address of the portal; raises JourneyError for any other status than the expected one."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._page(self._session.get(self._here(path), headers=named, timeout=TIMEOUT), expect)

    def submit(self, form: Form, *, files: Files | None = None, expect: int = 200, **values: Any) -> Page:
        """Send a form with what it holds and these values, and follow to where it leads. A list fills a field often."""
        texts = {name: value if isinstance(value, list) else str(value) for name, value in values.items()}
        fields = form.fields | texts
        headers = {"Referer": self.url}
        response = self._session.request(
            form.method, self._here(form.action), data=fields, files=files, headers=headers, timeout=TIMEOUT
        )
        return self._page(response, expect)

    def status(self, path: str) -> int:
        """The status of an address, redirects not followed."""
        return self._session.get(self._here(path), allow_redirects=False, timeout=TIMEOUT).status_code

    def bytes_of(self, path: str) -> bytes:
        return self.get(path).response.content

    def cookies(self) -> list[tuple[str, str]]:
        """Name and value of each, for another browser of the same person."""
        return [(cookie.name, cookie.value or "") for cookie in self._session.cookies]

    def _here(self, address: str) -> str:
        """The same path at the address that we were given: links in mails name the public one."""
        parts = urlsplit(urljoin(self.url, html.unescape(address)))
        return urljoin(self.url, parts.path + (f"?{parts.query}" if parts.query else ""))

    def _page(self, response: requests.Response, expect: int) -> Page:
        if response.status_code != expect:
            words = Page(response).text[:300]
            raise JourneyError(f"{response.request.method} {response.url} gave {response.status_code}: {words}")
        return Page(response)
