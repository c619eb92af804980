"""People at their browsers: they look, ask for edits and upload, all the time, and remember what they were refused."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from uuid import uuid4

import requests

from editor.models import Image, User
from tests.makers import jpeg
from tests.people import client_of

PAUSE = 0.05  # seconds between two looks of one person; edits and pictures are asked for less often
GOOD = {200, 201, 302}


class Crowd:
    """Its people go by HTTP alone. `done` counts what they did by kind; `failures` says what failed, and how."""

    def __init__(self, url: str, certificate: str, person: User, picture: Image) -> None:
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []
        self.waits: list[float] = []  # seconds, for an answer
        self.tokens: list[str] = []
        self._url, self._certificate, self._picture = url, certificate, picture
        self._session = client_of(person).cookies["sessionid"].value
        self._over = threading.Event()
        self._lock = threading.Lock()

    @contextmanager
    def at_work(self, readers: int = 2) -> Iterator[None]:
        """Within it, they are at it."""
        deeds = [*[self._look] * readers, self._ask, self._upload]
        threads = [threading.Thread(target=deed) for deed in deeds]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _look(self) -> None:
        browser, picture = self._browser(), self._picture.pk
        places = ("/", f"/studio/{picture}/", "/history/", "/library/", f"/images/{picture}/320.webp", "/edits-left/")
        for place in cycle(places):
            if self._over.wait(PAUSE):
                return
            self._count("looks", place, lambda place=place: browser.get(self._url + place, timeout=30))  # type: ignore[misc]

    def _ask(self) -> None:
        browser = self._browser()
        while not self._over.wait(8 * PAUSE):
            token = uuid4().hex
            self.tokens.append(token)
            form = {"source": str(self._picture.pk), "prompt": "a mosaic", "form_token": token}
            self._count("edits", "/edits/", lambda form=form: self._send(browser, "/edits/", form))  # type: ignore[misc]

    def _upload(self) -> None:
        browser = self._browser()
        while not self._over.wait(16 * PAUSE):
            form = {"token": uuid4().hex}
            file = jpeg(400, 300, (self.done["pictures"] % 200, 60, 90))
            files = {"file": ("holiday.jpg", file, "image/jpeg")}
            self._count(
                "pictures",
                "/images/",
                lambda form=form, files=files: self._send(browser, "/images/", form, files),  # type: ignore[misc]
            )

    def _browser(self) -> requests.Session:
        browser = requests.Session()
        browser.trust_env = False  # a bundle named there would win over our certificate
        browser.verify = self._certificate
        browser.cookies["sessionid"] = self._session
        browser.get(f"{self._url}/", timeout=60).raise_for_status()
        browser.headers["Origin"] = self._url
        return browser

    def _send(
        self,
        browser: requests.Session,
        place: str,
        form: dict[str, str],
        files: dict[str, tuple[str, bytes, str]] | None = None,
    ) -> requests.Response:
        form = form | {"csrfmiddlewaretoken": str(browser.cookies["csrftoken"])}
        return browser.post(self._url + place, form, files=files, timeout=30, allow_redirects=False)

    def _count(self, kind: str, place: str, ask: Callable[[], requests.Response]) -> None:
        began = time.monotonic()
        try:
            answer = ask()
            said = "" if answer.status_code in GOOD else f"{answer.status_code} {answer.text[:80]!r}"
        except requests.RequestException as error:
            said = f"{type(error).__name__} {error}"
        with self._lock:
            self.done[kind] += 1
            self.waits.append(time.monotonic() - began)
            if said:
                self.failures.append(f"{kind}, {place}: {said}")
