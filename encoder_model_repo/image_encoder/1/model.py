"""The Triton side of the image encoder: requests in, vectors out."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

sys.path.append(str(Path(__file__).parent))
# What the models do alike is in one place; they are deployed together.
sys.path.append(str(Path(__file__).parents[2] / "text_encoder" / "1"))
sys.path.append(str(Path(__file__).parents[2] / "user_encoder" / "1"))

from image_encoding.encoder import ImageEncoder
from text_encoding.encoder import EncoderUnusable
from user_encoding.batcher import Batcher


class TritonPythonModel:
    """Encodes all images of all waiting requests together.

    `execute` only takes requests in, for the reason that text_encoder gives.
    """

    def initialize(self, args: dict[str, str]) -> None:
        """Load the encoder that the parameters name."""
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        on_gpu = args["model_instance_kind"] == "GPU"
        device = f"cuda:{args['model_instance_device_id']}" if on_gpu else "cpu"
        try:
            self._encoder = ImageEncoder.load(parameters, device)
        except EncoderUnusable as error:
            raise pb_utils.TritonModelException(str(error)) from error
        self._batcher = Batcher(self._answer, config["max_batch_size"])
        pb_utils.Logger.log_info(f"image_encoder: {self._encoder.description}")

    def execute(self, requests: list[Any]) -> None:
        """Take requests in; while enough of them wait this blocks, and Triton queues the rest."""
        for request in requests:
            images = pb_utils.get_input_tensor_by_name(request, "IMAGE").as_numpy().reshape(-1)
            self._batcher.put((images, request.get_response_sender()), rows=len(images))

    def finalize(self) -> None:
        """Answer what is waiting."""
        self._batcher.stop()

    def _answer(self, batch: list[tuple[Any, Any]]) -> None:
        try:
            embeddings, usable = self._encoder.encode(
                [image for rows, _ in batch for image in rows]
            )
        except Exception as error:
            pb_utils.Logger.log_error(f"image_encoder: {type(error).__name__}: {error}")
            problem = pb_utils.TritonError(f"{type(error).__name__}: {error}")
            for _, sender in batch:
                _send(sender, pb_utils.InferenceResponse(error=problem))
            return
        end = 0
        for rows, sender in batch:
            start, end = end, end + len(rows)
            outputs = [
                pb_utils.Tensor("EMBEDDING", embeddings[start:end]),
                pb_utils.Tensor("USABLE", usable[start:end, np.newaxis]),
            ]
            _send(sender, pb_utils.InferenceResponse(outputs))


def _send(sender: Any, response: Any) -> None:
    try:
        sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
    except Exception as error:
        # One answer that cannot be delivered must not cost the others theirs.
        pb_utils.Logger.log_error(f"image_encoder: an answer was not sent: {error}")
