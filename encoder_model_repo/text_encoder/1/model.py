"""The Triton side of the text encoder: requests in, vectors out."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

sys.path.append(str(Path(__file__).parent))

from text_encoding.encoder import Encoder, EncoderUnusable


class TritonPythonModel:
    """Encodes all rows of all requests of a batch together."""

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
        pb_utils.Logger.log_info(f"text_encoder: {self._encoder.description}")

    def execute(self, requests: list[Any]) -> list[Any]:
        """Return one response per request, in order."""
        texts = [
            pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy().reshape(-1)
            for request in requests
        ]
        embeddings, truncated = self._encoder.encode([text for rows in texts for text in rows])
        responses = []
        end = 0
        for rows in texts:
            start, end = end, end + len(rows)
            outputs = [
                pb_utils.Tensor("EMBEDDING", embeddings[start:end]),
                pb_utils.Tensor("TRUNCATED", truncated[start:end, np.newaxis]),
            ]
            responses.append(pb_utils.InferenceResponse(outputs))
        return responses
