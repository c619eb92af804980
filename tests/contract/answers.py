"""The open questions of the contract, and what each flux server answered: a table in docs/flux-server.md."""

import json

import requests

from editor.flux.contract import parse_generation
from tests.contract.documents import DOCS, cells, part, table, updating, write_part
from tests.contract.services import LIVE, SANDBOX, Service

PAGE = DOCS / "flux-server.md"
PART = "open questions"
NOT_ASKED = "not asked yet"
COLUMNS = [SANDBOX, LIVE]

BAD_KEY = "a bad key, to `img2img`"
BAD_KEY_DETAILS = "a bad key, to `system_details`"
NO_IMAGE = "no `init_image`"
WIDTH_500 = "`width` 500"
WIDTH_1030 = "`width` 1030"
UNKNOWN_ID = "`fetch` for an unknown id"
WAITS = "does `instant_response: false` ever answer `processing`"
HAS_ID = "is `id` set on success"
SAME_SEED = "does the same seed give the same picture"
DEPLOY_TYPE = "which `deploy_type` is taken"
STEPS = "is `num_inference_steps` honoured"
GUIDANCE = "is `guidance` honoured"
BASE64_IMAGE = "does `init_image` take base64"
HEADERS = "the webhook's headers"
QUESTIONS = [
    BAD_KEY,
    BAD_KEY_DETAILS,
    NO_IMAGE,
    WIDTH_500,
    WIDTH_1030,
    UNKNOWN_ID,
    WAITS,
    HAS_ID,
    SAME_SEED,
    DEPLOY_TYPE,
    STEPS,
    GUIDANCE,
    BASE64_IMAGE,
    HEADERS,
]


def known() -> dict[str, list[str]]:
    """What the document says: by question, the words of the sandbox and of the live service."""
    said = {row[0]: row[1:] for row in cells(part(PAGE, PART))}
    return {question: said.get(question, [NOT_ASKED, NOT_ASKED]) for question in QUESTIONS}


def note(service: Service, question: str, answer: str) -> None:
    """Write it down with `UPDATE_DOCS=1`; else the sandbox must still answer what the document says.

    What the live service says is printed, too: it is news whatever the document says.
    """
    answer = " ".join(service.without_key(answer).split())
    if service.name == LIVE:
        print(f"{question}: {answer}")
    if updating():
        rows = known()
        rows[question][COLUMNS.index(service.name)] = answer
        write_part(PAGE, PART, table(["question", *COLUMNS], ([name, *rows[name]] for name in QUESTIONS)), [PART])
    elif service.name == SANDBOX:
        assert known()[question][0] == answer, "Run it with UPDATE_DOCS=1 and look at what changed."


def described(reply: requests.Response) -> str:
    """An answer in a few words: its code, its status and its message as they came."""
    try:
        answer = reply.json()
    except ValueError:
        kind = reply.headers.get("Content-Type", "nothing").split(";")[0]
        return f"HTTP {reply.status_code}, no JSON but {kind}"
    if not isinstance(answer, dict):
        return f"HTTP {reply.status_code}, JSON but no object"
    words = answer.get("message", answer.get("messege"))
    message = f": `{json.dumps(words)[:200]}`" if words else ""
    accepted = " (accepted)" if parse_generation(answer).id else ""
    return f"HTTP {reply.status_code}, `{answer.get('status')}`{accepted}{message}"
