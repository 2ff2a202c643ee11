"""The Triton side of the user encoder: requests in, vectors out."""

import json
import sys
from collections import defaultdict
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

sys.path.append(str(Path(__file__).parent))

from user_encoding.batcher import Batcher
from user_encoding.tower import Tower, TowerUnusable
from user_encoding.towers import Towers
from user_encoding.users import BadInput, Users, together

INPUTS = (
    "ROWS",
    "UNKNOWN_VECTORS",
    "ACTIONS",
    "FEATURES",
    "TIMES_MS",
    "NEXT_MS",
    "CONTEXT",
    "LENGTH",
)


class TritonPythonModel:
    """Computes the users of all waiting requests together, release by release.

    `execute` only takes requests in, for the reason that text_encoder gives. A request for a
    release that is not loaded waits until it is; those for others go on.
    """

    def initialize(self, args: dict[str, str]) -> None:
        """Load nothing yet: requests say which releases there are."""
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        on_gpu = args["model_instance_kind"] == "GPU"
        device = f"cuda:{args['model_instance_device_id']}" if on_gpu else "cpu"

        def load(release_id: str, uri: str) -> Tower:
            tower = Tower.load(release_id, uri, parameters, device)
            pb_utils.Logger.log_info(f"user_encoder: {release_id} is loaded from {uri}")
            return tower

        self._towers = Towers(load)
        self._batcher = Batcher(self._answer, config["max_batch_size"])

    def execute(self, requests: list[Any]) -> None:
        """Take requests in; while enough of them wait this blocks, and Triton queues the rest."""
        for request in requests:
            sender = request.get_response_sender()
            arrays = [
                pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in INPUTS
            ]
            users = Users(*arrays[:-1], arrays[-1].reshape(-1))
            named = json.loads(request.parameters() or "{}")
            tower = self._towers.get(
                str(named.get("release_id", "")), str(named.get("release_uri", ""))
            )
            tower.add_done_callback(partial(self._put, users, sender))

    def finalize(self) -> None:
        """Answer what is waiting."""
        self._towers.stop()
        self._batcher.stop()

    def _put(self, users: Users, sender: Any, tower: "Future[Tower]") -> None:
        """Hand users over to the batcher, now that their tower is there or could not be loaded."""
        try:
            users.check(tower.result().about)
        except BadInput as error:
            _refuse(sender, error, pb_utils.TritonError.INVALID_ARG)
        except TowerUnusable as error:
            _refuse(sender, error, pb_utils.TritonError.NOT_FOUND)
        except BaseException as error:  # a cancelled load too
            _refuse(sender, error, pb_utils.TritonError.UNAVAILABLE)
        else:
            self._batcher.put((tower.result(), users, sender), rows=len(users))

    def _answer(self, batch: list[tuple[Tower, Users, Any]]) -> None:
        by_tower = defaultdict(list)
        for tower, users, sender in batch:
            by_tower[tower].append((users, sender))
        for tower, asked in by_tower.items():
            try:
                vectors = tower.vectors(together([users for users, _ in asked]))
            except Exception as error:
                pb_utils.Logger.log_error(f"user_encoder: {type(error).__name__}: {error}")
                for _, sender in asked:
                    _refuse(sender, error, pb_utils.TritonError.INTERNAL)
                continue
            end = 0
            for users, sender in asked:
                start, end = end, end + len(users)
                tensor = pb_utils.Tensor("USER_VECTOR", vectors[start:end])
                _send(sender, pb_utils.InferenceResponse([tensor]))


def _refuse(sender: Any, error: BaseException, code: int) -> None:
    text = str(error) if isinstance(error, BadInput | TowerUnusable) else repr(error)
    _send(sender, pb_utils.InferenceResponse(error=pb_utils.TritonError(text, code)))


def _send(sender: Any, response: Any) -> None:
    try:
        sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
    except Exception as error:
        # One answer that cannot be delivered must not cost the others theirs.
        pb_utils.Logger.log_error(f"user_encoder: an answer was not sent: {error}")
