"""A flux server that repeats the key wherever an answer can hold it, in every spelling."""

import base64
import html
import io
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import Any
from urllib.parse import quote

import requests
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.flux.conftest import Recorder, reply

MARKER = re.compile(r"#says:([a-z0-9-]+)")
Answer = tuple[int, object, dict[str, str]]


def spelled(key: str) -> str:
    """The key in all the ways that a server may come to quote it, one after the other."""
    escaped = json.dumps(key)[1:-1].replace("/", "\\/")
    packed = base64.b64encode(key.encode()).decode()
    texts = [key, quote(key, safe=""), quote(key, safe="").lower(), escaped, html.escape(key), packed]
    return " ".join([*texts, f"<b>{key}</b>"])


class Gossip:
    """Listens at `origin`; `elsewhere` is another server, to which it would lead whoever follows it."""

    def __init__(self, key: str, elsewhere: str) -> None:
        self.key, self.said, self.elsewhere = key, spelled(key), elsewhere
        self.names: dict[str, str] = {}
        self.came: set[str] = set()
        self._ids = count(168_200_001)
        self._server = Recorder(self._answer)
        self.origin = self._server.origin
        self.base_url = f"{self.origin}/api/v1/enterprise/"

    def close(self) -> None:
        self._server.close()

    def _answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        path = handler.path.partition("?")[0]
        if handler.command == "GET":
            return self._link(handler, path)
        document = json.loads(body)
        if document.get("key") != self.key:
            return reply(handler, 401, b"")
        if path.endswith("/img2img"):
            code, said, headers = self._img2img(document)
        elif "/fetch/" in path:
            code, said, headers = self._fetch(path.rpartition("/")[2])
        else:
            code, said, headers = 200, {"status": "ok", "model_count": 1, "message": self.said}, {}
        return reply(handler, code, said if isinstance(said, bytes) else json.dumps(said).encode(), headers)

    def error(self, message: object) -> dict[str, object]:
        """A refusal that repeats all that it was sent."""
        return {"status": "error", "message": message, "key": self.key, "tip": self.said, self.key: self.key,
                "meta": {"key": self.key, "api_key": self.key, "sent": [self.said, {self.key: self.said}]}}  # fmt: skip

    def headers(self) -> dict[str, str]:
        """Headers that hold it, and that a careless client would keep or obey."""
        names = ("X-Api-Key", "Retry-After", "X-RateLimit-Reset", "WWW-Authenticate", "Server", "Content-Type")
        return {**dict.fromkeys(names, self.key), "Set-Cookie": f"key={quote(self.key)}; Path=/"}

    @property
    def refusals(self) -> dict[str, Answer]:
        """What img2img says no with, by the name in the prompt."""
        page = f"<!doctype html><title>{self.said}</title>".encode()
        return {
            "error": (200, self.error(f"No idea what to do with {self.said}"), {}),
            "field": (400, self.error({"width": [self.said]}), {}),
            "account": (401, self.error({"key": [self.said]}), self.headers()),
            "credit": (402, self.error(self.said), self.headers()),
            "plan": (403, self.error(self.said), {}),
            "queue-full": (429, self.error(self.said), self.headers()),
            "html-200": (200, page, self.headers()),
            "html-500": (500, page, self.headers()),
            "cut": (200, json.dumps(self.error(self.said)).encode()[:-40], {}),
            "redirect": (307, page, {"Location": f"{self.elsewhere}/{quote(self.key)}?key={quote(self.key)}"}),
            "id": (200, {"status": "processing", "id": self.key, "message": self.said}, {}),
        }

    @property
    def fetches(self) -> dict[str, Callable[[str], Answer]]:
        """What fetch says about what was accepted; `{}` in a link is the id."""
        links = {
            "link-missing": f"{self.origin}/missing/{{}}.png?key={quote(self.key)}",
            "link-named": f"{self.origin}/missing/{quote(self.key, safe='')}/{self.key}/{{}}.png",
            "link-redirect": f"{self.origin}/redirect/{{}}.png",
            "link-elsewhere": f"{self.elsewhere}/{{}}.png?key={self.key}",
            "link-user": f"http://user:{quote(self.key, safe='')}@{self.origin[7:]}/{{}}.png",
            "link-base64": f"{self.origin}/encoded/{{}}.base64",
            "picture": f"{self.origin}/picture/{{}}.png",
        }
        found: dict[str, Callable[[str], Answer]] = {
            name: lambda number, link=link: (200, self._success(number, link.format(number)), {})  # type: ignore[misc]
            for name, link in links.items()
        }
        found["failed"] = lambda number: (200, self.error(self.said) | {"status": "failed", "id": number}, {})
        found["fetch-html"] = lambda _: (200, self.said.encode(), self.headers())
        found["fetch-500"] = lambda _: (500, self.error(self.said), self.headers())
        return found

    def _success(self, number: str, link: str) -> dict[str, object]:
        return self.error(self.said) | {"status": "success", "id": number, "output": [link], "eta": self.key}

    def _img2img(self, document: dict[str, Any]) -> Answer:
        match = MARKER.search(document["prompt"])
        name = match[1] if match else "picture"
        self.came.add(name)
        if name in self.refusals:
            return self.refusals[name]
        number = str(next(self._ids))
        self.names[number] = name
        told = self.error(self.said) | {"status": "processing", "id": number, "track_id": document["track_id"]}
        threading.Thread(target=self._call, args=(document["webhook"], told), daemon=True).start()
        pointing = {
            "fetch_result": f"{self.elsewhere}/fetch/{number}",
            "future_links": [f"{self.elsewhere}/{self.key}"],
        }
        return 200, told | pointing | {"seed": self.key, "output": self.said}, {}

    def _call(self, webhook: str, told: dict[str, object]) -> None:
        requests.post(webhook, json=told, timeout=30)

    def _fetch(self, number: str) -> Answer:
        if number not in self.names:  # a generation that somebody else was asked for
            return 404, self.error(self.said), self.headers()
        return self.fetches[self.names[number]](number)

    def _link(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        where = path.strip("/").partition("/")[0]
        if where == "picture":
            reply(handler, 200, self._picture(), self.headers())
        elif where == "encoded":
            reply(handler, 200, base64.b64encode(self.said.encode()), self.headers())
        elif where == "redirect":
            reply(handler, 302, b"", {"Location": f"{self.elsewhere}/{quote(self.key)}?{quote(self.key)}"})
        else:
            reply(handler, 404, f"<html>{self.said}</html>".encode(), self.headers())

    def _picture(self) -> bytes:
        """A picture that says it, too."""
        buffer, notes = io.BytesIO(), PngInfo()
        for name, packed in (("Comment", False), ("key", True)):
            notes.add_text(name, self.said, zip=packed)
        Image.linear_gradient("L").convert("RGB").save(buffer, "PNG", pnginfo=notes)
        return buffer.getvalue() + self.said.encode()
