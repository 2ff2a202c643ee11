"""Replays a release's golden requests: serving must reproduce what training computed."""

import json

import numpy as np
from google.protobuf.json_format import ParseDict

from ranking_service.item_features import rank_input
from ranking_service.loaded_release import LoadedRelease
from ranking_service.scorer import score
from serving.errors import ReleaseUnusable
from tandem.v1.ranking_service_pb2 import RankRequest

# In logits. Two processors' bfloat16 differ by some hundredths; a wrong feature by whole units.
TOLERANCE = 0.25


def replay(loaded: LoadedRelease) -> float:
    """Score the golden requests and return the greatest difference of a logit.

    It also warms the model up. Raises ReleaseUnusable if a difference is beyond TOLERANCE.
    """
    worst = 0.0
    path = loaded.release.directory / "golden.jsonl"
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        request = ParseDict(entry["request"], RankRequest())
        found = rank_input(loaded, request)
        logits = score(loaded, [found.packed], [1.0])[0].logits
        expected = [entry["engage_logits"][c.item_id] for c in found.candidates]
        worst = max(worst, float(np.abs(logits - np.array(expected)).max()))
    if not worst <= TOLERANCE:
        raise ReleaseUnusable(
            f"{path} cannot be reproduced: a logit differs by {worst:.3f}, more than {TOLERANCE}"
        )
    return worst
