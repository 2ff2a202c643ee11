"""The Triton side of the text encoder: requests in, vectors out."""

import json
import queue
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

sys.path.append(str(Path(__file__).parent))

from text_encoding.encoder import Encoder, EncoderUnusable

METRICS = (
    ("text_encoder_tokens", "Tokens computed, padding included"),
    ("text_encoder_padding_tokens", "Tokens computed that were padding"),
)
METRICS_EVERY_S = 1.0


class TritonPythonModel:
    """Encodes the rows of all waiting requests together.

    `execute` only takes requests in; threads of the encoder work, and one more sends the answers,
    so that the engine does not wait for that. If `execute` did the work, Triton 2.51 with a queue
    policy would often sleep for half a second while requests wait: it looks for an idle instance
    when a request arrives, not when an instance becomes idle.
    """

    def initialize(self, args: dict[str, str]) -> None:
        """Load the encoder that the parameters name."""
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        on_gpu = args["model_instance_kind"] == "GPU"
        device = f"cuda:{args['model_instance_device_id']}" if on_gpu else "cpu"
        try:
            self._encoder = Encoder.load(parameters, device)
        except EncoderUnusable as error:
            raise pb_utils.TritonModelException(str(error)) from error
        # Kept, as a metric does not outlive its family.
        self._families = [
            pb_utils.MetricFamily(name, description, pb_utils.MetricFamily.COUNTER)
            for name, description in METRICS
        ]
        self._counters = [family.Metric(labels={}) for family in self._families]
        self._counted = (0, 0)
        self._counted_time = 0.0
        self._answers: queue.SimpleQueue[tuple[Any, Any] | None] = queue.SimpleQueue()
        self._answering = threading.Thread(target=self._answer, name="answers", daemon=True)
        self._answering.start()
        pb_utils.Logger.log_info(f"text_encoder: {self._encoder.description}")

    def execute(self, requests: list[Any]) -> None:
        """Take requests in; while enough of them wait this blocks, and Triton queues the rest."""
        for request in requests:
            texts = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy().reshape(-1)
            done = partial(self._done, request.get_response_sender())
            self._encoder.submit(texts, done, bulk=_is_bulk(request))

    def finalize(self) -> None:
        """Answer what is waiting."""
        self._encoder.stop()
        self._answers.put(None)
        self._answering.join()

    def _done(self, sender: Any, result: Any) -> None:
        self._answers.put((sender, result))

    def _answer(self) -> None:
        while answer := self._answers.get():
            sender, result = answer
            try:
                sender.send(_response(result), flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
            except Exception as error:
                # One answer that cannot be delivered must not cost the others theirs.
                pb_utils.Logger.log_error(f"text_encoder: an answer was not sent: {error}")
            if time.monotonic() - self._counted_time >= METRICS_EVERY_S:
                self._count()

    def _count(self) -> None:
        counted = self._encoder.padding()
        for counter, now, before in zip(self._counters, counted, self._counted, strict=True):
            counter.increment(now - before)
        self._counted, self._counted_time = counted, time.monotonic()


def _is_bulk(request: Any) -> bool:
    # Triton keeps a request's priority to itself.
    return bool(json.loads(request.parameters() or "{}").get("bulk", False))


def _response(result: Any) -> Any:
    if isinstance(result, Exception):
        problem = f"{type(result).__name__}: {result}"
        pb_utils.Logger.log_error(f"text_encoder: {problem}")
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(problem))
    embeddings, truncated = result
    return pb_utils.InferenceResponse(
        [
            pb_utils.Tensor("EMBEDDING", embeddings),
            pb_utils.Tensor("TRUNCATED", truncated[:, np.newaxis]),
        ]
    )
