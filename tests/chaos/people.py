"""Who asks for edits in a chaos round, through their browsers, and presses again where no answer comes."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import requests
from django.utils import timezone

from editor.jobs.creation import EditSpec
from editor.jobs.steps import to_rows
from editor.models import GenerationJob, Image, Membership, Recipe, RecipeVersion, Role, User, Workspace
from tests.makers import jpeg, make_image
from tests.people import client_of, make_person

PATIENCE = 40.0  # seconds for which somebody presses the button again
AT_ONCE = 12
CHAIN = ("a watercolour", "make it night", "a mosaic")  # each of what the one before made
CHAIN_PICTURES = 3
SIGNED_OUT = 401  # they are sent to where one signs in


class Browser:
    """One signed-in person. Used on threads, so that it touches no row."""

    def __init__(self, user: User, url: str) -> None:
        self.url = url
        self._session = client_of(user).cookies["sessionid"].value
        self._token = uuid4().hex

    def post(self, path: str, form: dict[str, str], **files: bytes) -> requests.Response:
        """Once; raises requests.RequestException where no answer comes."""
        cookies = {"sessionid": self._session, "csrftoken": self._token}
        sent = {name: (f"{name}.jpg", data, "image/jpeg") for name, data in files.items()} or None
        return requests.post(
            f"{self.url}{path}",
            {**form, "csrfmiddlewaretoken": self._token},
            files=sent,
            cookies=cookies,
            headers={"Referer": self.url},
            timeout=15,
            allow_redirects=False,
        )

    def insist(self, path: str, form: dict[str, str], **files: bytes) -> int:
        """Again and again until somebody answers; returns the status, or 0."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                answer = self.post(path, form, **files)
            except requests.RequestException:
                time.sleep(0.3)
                continue
            if answer.status_code < 500:
                return SIGNED_OUT if "/login/" in answer.headers.get("Location", "") else answer.status_code
            time.sleep(0.3)
        return 0


@dataclass
class Asked:
    """An edit that was asked for: its form's token, what it is to suffer, and what the portal said."""

    by: User
    token: str
    marks: tuple[str, ...]
    samples: int
    answers: "list[Future[int]]" = field(default_factory=list)

    @property
    def promised(self) -> bool:
        """Whether the portal said "queued"."""
        return any(answer.result() == 302 for answer in self.answers)

    @property
    def job(self) -> GenerationJob | None:
        return GenerationJob.objects.filter(made_by=self.by, form_token=self.token).first()


class Crowd:
    """Three people: two in a team, and one alone, who may lose everything in the middle of a round."""

    def __init__(self, url: str) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE)
        names = [f"{name}-{uuid4().hex[:12]}" for name in ("ada", "ben", "cay")]
        self.ada, self.ben, self.cay = people = [make_person(name) for name in names]
        self.team = Workspace.objects.create(name="Team")
        for user, role in ((self.ada, Role.OWNER), (self.ben, Role.EDITOR)):
            Membership.objects.create(workspace=self.team, user=user, role=role)
        self.browsers = {user.pk: Browser(user, url) for user in people}
        self.pictures: dict[int, list[Image]] = {
            user.pk: [make_image(user, stored=True), make_image(user, stored=True, workspace=place)]
            for user in people
            for place in [self.team if user != self.cay else Workspace.objects.personal_of(user)]
        }
        self.asked: list[Asked] = []
        self.shelf = [make_image(self.ada, stored=True, name=f"cup {number}.jpg") for number in range(CHAIN_PICTURES)]
        self.recipe = Recipe.objects.create(workspace=self.shelf[0].workspace, made_by=self.ada, name="Chain")
        steps = to_rows(map(EditSpec, CHAIN))
        RecipeVersion.objects.create(recipe=self.recipe, number=1, steps=steps, made_by=self.ada)
        self.chains: list[tuple[str, list[Future[int]]]] = []
        self.uploads: list[tuple[User, str, Future[int]]] = []
        self.began = timezone.now()

    @property
    def people(self) -> list[User]:
        return [self.ada, self.ben, self.cay]

    def ask(self, user: User, words: str, marks: tuple[str, ...] = (), *, samples: int = 1, which: int = 0,
            clicks: int = 1) -> Asked:  # fmt: skip
        """Send the form of an edit, so many times at once; returns at once."""
        prompt = " ".join([words, *(f"#fault:{mark}" for mark in marks)])
        token = uuid4().hex
        source = self.pictures[user.pk][which]
        form = {"source": str(source.pk), "prompt": prompt, "form_token": token, "samples": str(samples)}
        asked = Asked(user, token, marks, samples)
        browser = self.browsers[user.pk]
        asked.answers = [self._pool.submit(browser.insist, "/edits/", form) for _ in range(clicks)]
        self.asked.append(asked)
        return asked

    def chain(self, clicks: int = 2) -> None:
        """Send ada's recipe for all of her pictures, so many times at once; returns at once."""
        token = uuid4().hex
        pictures = " ".join(str(image.pk) for image in self.shelf)
        recipe = str(self.recipe.pk)
        form = {"pictures": pictures, "recipe": recipe, "shown": recipe, "version": "1", "form_token": token}
        browser = self.browsers[self.ada.pk]
        answers = [self._pool.submit(browser.insist, "/batches/new/", form) for _ in range(clicks)]
        self.chains.append((token, answers))

    def upload(self, user: User) -> None:
        """Send a picture, and again with the same token where no answer comes; returns at once."""
        token = uuid4().hex
        colour = (len(self.uploads) * 37 % 256, 90, 30)
        answer = self._pool.submit(
            self.browsers[user.pk].insist, "/images/", {"token": token}, file=jpeg(640, 480, colour)
        )
        self.uploads.append((user, token, answer))

    def press(self, user: User, job_id: UUID, button: str) -> "Future[int]":
        """One of the buttons of an edit: cancel, send-again, let-go."""
        return self._pool.submit(self.browsers[user.pk].insist, f"/edits/{job_id}/{button}/", {})

    def wait(self) -> None:
        """Until nobody presses any more."""
        for asked in self.asked:
            for answer in asked.answers:
                answer.result()
        for _, _, answer in self.uploads:
            answer.result()
        for _, answers in self.chains:
            for answer in answers:
                answer.result()

    def close(self) -> None:
        self._pool.shutdown()
