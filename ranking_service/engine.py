"""What runs the language part of a ranker: OpenVINO, if a release is exported for it, or torch."""

import copy
import logging
import threading
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from models.ranker.export import OPENVINO
from models.ranker.flat_batch import FlatBatch
from models.ranker.precision import mixed_precision
from models.ranker.ranker import Ranker
from models.ranker.served import ServedLanguage, looked_up

logger = logging.getLogger(__name__)
EngineName = Literal["auto", "openvino", "torch"]
DeviceName = Literal["auto", "cpu", "cuda"]


class Engine(Protocol):
    """Reads flat batches, one at a time. by_shape: whether a shape costs more when it is new."""

    by_shape: bool

    def states(self, batch: FlatBatch, features_CF: Tensor) -> Tensor:
        """Return the last state at each candidate, float32 [C, W]; features are standardised."""


class TorchEngine:
    """Runs the weights that training left, in mixed precision."""

    by_shape = False

    def __init__(self, ranker: Ranker, threads: int, device: str = "cpu") -> None:
        """device: as torch names it. Elsewhere than on the CPU is a copy of the language part
        alone: features, embeddings and the head stay where they are.
        """
        self._ranker = ranker
        self._threads = threads
        self._device = torch.device(device)
        language = ServedLanguage(ranker).eval()
        on_cpu = self._device.type == "cpu"
        self.language = language if on_cpu else copy.deepcopy(language).to(self._device)
        self._turn = threading.Lock()

    def states(self, batch: FlatBatch, features_CF: Tensor) -> Tensor:
        """Return the last state at each candidate, float32 [C, W]; features are standardised."""
        with self._turn, mixed_precision(self._device.type):
            # What else torch does for a request is too small to be shared by threads.
            torch.set_num_threads(self._threads)
            try:
                inputs = looked_up(self._ranker, batch, features_CF)
                states: Tensor = self.language(*(each.to(self._device) for each in inputs))
            finally:
                torch.set_num_threads(1)
            return states.float().cpu()


class OpenVinoEngine:
    """Runs `ranker/language.xml`, in bfloat16 where the processor computes in it."""

    # A new shape costs 3 to 6 ms of a core, a fifth of a pass, until its kernels are made.
    by_shape = True

    def __init__(self, ranker: Ranker, directory: Path, threads: int) -> None:
        # Imported late: a machine with a release of before needs none of it.
        import openvino as ov

        core = ov.Core()
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        options = {
            "INFERENCE_PRECISION_HINT": "bf16" if "BF16" in able else "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # Other processes share the cores: a pinned thread would wait behind them.
            "ENABLE_CPU_PINNING": False,
        }
        self._ranker = ranker
        self._turn = threading.Lock()
        self._request = core.compile_model(
            directory / OPENVINO, "CPU", options
        ).create_infer_request()

    def states(self, batch: FlatBatch, features_CF: Tensor) -> Tensor:
        """Return the last state at each candidate, float32 [C, W]; features are standardised."""
        inputs = [each.numpy() for each in looked_up(self._ranker, batch, features_CF)]
        with self._turn:
            found = self._request.infer(inputs, share_inputs=True, share_outputs=True)[0]
            # A copy: the next batch is written to the same place.
            return torch.from_numpy(np.array(found, np.float32))


def device_of(name: DeviceName) -> str:
    """Return the device by torch's name; "auto" is a GPU where torch can use one."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def engine_of(
    ranker: Ranker, directory: Path, name: EngineName, threads: int, device: str = "cpu"
) -> Engine:
    """Return the engine of a ranker's folder for a device, which on a GPU is torch.

    On the CPU "auto" is OpenVINO where the ranker was exported for it.
    """
    if device != "cpu":
        return TorchEngine(ranker, threads, device)
    exported = (directory / OPENVINO).is_file()
    if name == "openvino" or (name == "auto" and exported):
        return OpenVinoEngine(ranker, directory, threads)
    if name == "auto" and ranker.config.language:
        logger.warning(
            "the release was not exported for OpenVINO; torch runs it, at half the speed"
        )
    return TorchEngine(ranker, threads)
