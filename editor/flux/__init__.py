"""A client for ModelsLab's Enterprise Flux Kontext Dev server: pictures, edited by instruction.

    from editor.flux import EditRequest, FluxClient, FluxError, Status

    client = FluxClient("https://modelslab.com/api/v1/enterprise/", api_key)
    request = EditRequest(
        prompt="make it a watercolour",
        init_image="https://example.com/garden.jpg",
        width=1024,
        height=768,
        seed=7,
    )
    generation = client.img2img(request)  # the one call that costs money
    while generation.status is Status.PROCESSING and generation.id:
        time.sleep(2)
        try:
            generation = client.fetch(generation.id)
        except FluxError as error:  # asking is free, so its verdict is LATER; give up when you have waited enough
            time.sleep(error.retry_after or 5)
    print(generation.outputs)  # links, gone after 24 hours

Every failure is a `FluxError`, and its `verdict` says what it means: was the request accepted, may it be repeated?
After `Verdict.UNKNOWN` it may be running and charged, so whoever repeats it may pay twice. What the vendor would refuse
for certain is refused as `Verdict.JOB` when the request is made, before anything is sent.

The key is in the body of each request and nowhere else: in no repr, error, log or stored answer.

`editor.flux.sandbox` is a stand-in for the server, over real HTTP, with all its moods. Beside the standard library this
folder needs requests and urllib3, and the sandbox needs Pillow and boto3; it knows nothing of the portal around it.
"""

from .client import MAX_UPLOAD, FluxClient
from .contract import (
    DEPLOY_TYPE,
    MAX_SAMPLES,
    MAX_SEED,
    MAX_SIDE,
    MIN_SIDE,
    SIDE_STEP,
    EditRequest,
    Generation,
    Notice,
    Status,
    StorageRegistration,
    SystemDetails,
    WebhookEvent,
    parse_webhook,
)
from .errors import FluxError, Verdict
from .scrubbing import Secrets

__all__ = [
    "DEPLOY_TYPE",
    "MAX_SAMPLES",
    "MAX_SEED",
    "MAX_SIDE",
    "MAX_UPLOAD",
    "MIN_SIDE",
    "SIDE_STEP",
    "EditRequest",
    "FluxClient",
    "FluxError",
    "Generation",
    "Notice",
    "Secrets",
    "Status",
    "StorageRegistration",
    "SystemDetails",
    "Verdict",
    "WebhookEvent",
    "parse_webhook",
]
