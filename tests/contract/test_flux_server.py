"""What the flux server does with what we send: the sandbox always, the live service where a key is given.

docs/flux-server.md says how to run it with a key, and keeps what was found out.
"""

import os
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import tests.conftest
from editor.flux.contract import Generation, Status, parse_generation
from editor.flux.errors import FluxError, Verdict
from editor.images.decoding import Decoded, decode
from tests.contract import answers
from tests.contract.answers import described, note
from tests.contract.documents import cells, part
from tests.contract.services import LIVE, NOTICE, SANDBOX, Service, finished, live_service, opened, sandbox_service
from tests.flux.conftest import drawn, error_of
from tests.portal import wait_until


@pytest.fixture(scope="class", params=[SANDBOX, LIVE])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Service]:
    if request.param == SANDBOX:
        with sandbox_service(tmp_path_factory.mktemp("sandbox")) as running:
            yield running
        return
    with live_service(os.environ) as running:
        with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print(f"\nAsking {running.client.base_url}. {NOTICE}")
        yield running


@pytest.fixture(scope="class")
def first(service: Service) -> Generation:
    """A picture asked for with an instant answer and a webhook; paid for once."""
    hook = service.webhook
    answer = service.client.img2img(service.request(track_id="contract-1", webhook=hook))
    assert answer.id
    return finished(service, answer)


@pytest.fixture(scope="class")
def held(service: Service) -> tuple[Generation, float]:
    """The same picture, asked for without an instant answer, and how many seconds that took."""
    begun = time.monotonic()
    answer = service.client.img2img(service.request(instant_response=False))
    return answer, time.monotonic() - begun


def pixels(service: Service, generation: Generation, place: Path) -> str:
    """The fingerprint of the first result."""
    return decoded(service, generation, place).master_sha256


def decoded(service: Service, generation: Generation, place: Path) -> Decoded:
    assert generation.status == Status.SUCCESS, generation.message
    raw = service.download(generation.outputs[0])
    return decode(raw, place, max_bytes=40_000_000, max_pixels=10_000_000)


def generation_of(service: Service, reply: requests.Response) -> Generation | None:
    """What became of a request that was sent without the client; None if it was not accepted."""
    generation = parse_generation(reply.json() if reply.ok else {}, service.key)
    return finished(service, generation) if generation.id else None


class TestFluxServer:
    def test_server_is_up_and_the_key_is_good(self, service: Service) -> None:
        assert service.client.system_details()

    def test_bad_key_is_refused(self, service: Service) -> None:
        wrong = "x" * 20
        body = service.request().body("")
        note(service, answers.BAD_KEY, described(service.post("flux_kontext_dev/img2img", body | {"key": wrong})))
        note(service, answers.BAD_KEY_DETAILS, described(service.post("flux_kontext_dev/system_details", {}, wrong)))

    @pytest.mark.parametrize(
        ("question", "change"),
        [
            (answers.NO_IMAGE, {"init_image": None}),
            (answers.WIDTH_500, {"width": 500}),
            (answers.WIDTH_1030, {"width": 1030}),
        ],
    )
    def test_request_that_breaks_a_rule_is_answered(
        self, service: Service, question: str, change: dict[str, Any]
    ) -> None:
        body = {name: value for name, value in (service.request().body("") | change).items() if value is not None}
        del body["key"]
        reply = service.post("flux_kontext_dev/img2img", body)
        note(service, question, described(reply))
        generation_of(service, reply)  # should it be accepted all the same, the next request must not find a full queue

    def test_unknown_id_is_forgotten(self, service: Service) -> None:
        note(service, answers.UNKNOWN_ID, described(service.post("flux_kontext_dev/fetch/17", {})))
        error = error_of(lambda: service.client.fetch("17"))
        assert (error.verdict, error.reason) == (Verdict.LATER, "forgotten")

    def test_picture_has_the_size_that_was_asked_for(self, service: Service, first: Generation, tmp_path: Path) -> None:
        found = decoded(service, first, tmp_path)
        assert (found.width, found.height) == (256, 256)
        assert not found.blank

    def test_fetch_tells_the_same_again(self, service: Service, first: Generation) -> None:
        assert first.id
        again = service.client.fetch(first.id)
        assert (again.status, again.outputs) == (first.status, first.outputs)

    def test_request_without_instant_response_is_answered(
        self, service: Service, held: tuple[Generation, float]
    ) -> None:
        answer, seconds = held
        after = f", after {seconds:.0f} s" if service.name == LIVE else ""
        early = "yes" if answer.status == Status.PROCESSING else "no"
        note(service, answers.WAITS, f"{early}: `{answer.status}`{after}")
        if answer.status == Status.SUCCESS:
            note(service, answers.HAS_ID, "yes" if answer.id else "no: it is missing or null")
        assert finished(service, answer).status == Status.SUCCESS

    def test_same_seed_is_compared(
        self, service: Service, first: Generation, held: tuple[Generation, float], tmp_path: Path
    ) -> None:
        (tmp_path / "again").mkdir()
        same = pixels(service, first, tmp_path) == pixels(service, finished(service, held[0]), tmp_path / "again")
        note(service, answers.SAME_SEED, "yes" if same else "no: the pictures differ")

    @pytest.mark.parametrize(
        ("question", "field", "value"),
        [(answers.STEPS, "num_inference_steps", 8), (answers.GUIDANCE, "guidance", 7.5)],
    )
    def test_field_of_the_public_endpoint_is_tried(
        self, service: Service, first: Generation, tmp_path: Path, question: str, field: str, value: float
    ) -> None:
        body = service.request().body(service.key) | {field: value}
        reply = service.post("flux_kontext_dev/img2img", body)
        made = generation_of(service, reply)
        if made is None:
            note(service, question, f"refused: {described(reply)}")
            return
        (tmp_path / "changed").mkdir()
        same = pixels(service, first, tmp_path) == pixels(service, made, tmp_path / "changed")
        note(
            service, question, "no: the picture is the same" if same else "yes, or the seed is not: the picture differs"
        )

    def test_base64_instead_of_an_address_is_tried(self, service: Service) -> None:
        picture = "data:image/jpeg;base64," + b64encode(drawn("firebrick", (256, 256))).decode()
        reply = service.post("flux_kontext_dev/img2img", service.request().body(service.key) | {"init_image": picture})
        made = generation_of(service, reply)
        ended = f", ended as `{made.status}`" if made else ""
        note(service, answers.BASE64_IMAGE, described(reply) + ended)

    def test_webhook_comes_with_its_headers(self, service: Service, first: Generation) -> None:
        if not service.webhook:
            pytest.skip("set FLUX_LIVE_WEBHOOK_URL to an address that leads to FLUX_LIVE_WEBHOOK_PORT of this machine")
        wait_until(lambda: bool(service.calls), 60, "The webhook")
        names = sorted(name.title() for name in service.calls[0])
        agent = service.calls[0].get("User-Agent", "none").split("/")[0]
        note(service, answers.HEADERS, f"{', '.join(f'`{name}`' for name in names)}; the agent is `{agent}`")

    def test_deploy_type_is_tried(self, service: Service) -> None:
        if not service.orders:
            pytest.skip("set FLUX_LIVE_ORDERS=1 to have reset_s3 called, which forgets the registered bucket")
        taken = []
        for name in ("flux_kontext_dev", "flux"):
            try:
                service.client.reset_s3(name)
                taken.append(f"`{name}`: taken")
            except FluxError as error:
                taken.append(f"`{name}`: refused, {error.message}")
        note(service, answers.DEPLOY_TYPE, "; ".join(taken))


def test_the_document_asks_these_questions_and_no_others() -> None:
    asked = [row[0] for row in cells(part(answers.PAGE, answers.PART))]
    assert asked == answers.QUESTIONS


def test_guard_of_the_tests_opens_for_one_host_and_closes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"flux.example": "203.0.113.7", "other.example": "203.0.113.8"}
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_: [(0, 0, 0, "", (addresses[host], 443))])
    with opened("flux.example"):
        for host in addresses:
            socket.getaddrinfo(host, 443)
        tests.conftest.need_loopback("203.0.113.7")
        for outside in ("other.example", "203.0.113.8"):
            with pytest.raises(tests.conftest.OutsideConnectionError):
                tests.conftest.need_loopback(outside)
    with pytest.raises(tests.conftest.OutsideConnectionError):
        tests.conftest.need_loopback("203.0.113.7")
