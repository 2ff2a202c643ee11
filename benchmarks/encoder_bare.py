"""The bare engine's rate: the encoder's own code in a loop, without Triton or a network.

`benchmarks.encoder` runs this file with the Python of the encoder's runtime environment.
Usage: encoder_bare.py ENCODER_DIR TEXTS.json SECONDS DEVICE BATCH_ROWS...
"""

import json
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "encoder_model_repo" / "text_encoder" / "1"))

from text_encoding.encoder import Encoder


def rate(encoder: Encoder, texts: list[bytes], rows: int, seconds: float) -> tuple[float, float]:
    """Return texts per second in batches of `rows`, and the ms of a core that each took.

    Before that it encodes as many as a tenth of the time allows.
    """
    for limit in (seconds / 10, seconds):
        encoded = 0
        start, start_cpu = time.perf_counter(), time.process_time()
        while (elapsed := time.perf_counter() - start) < limit:
            first = encoded % len(texts)
            batch = texts[first : first + rows]
            encoder.encode(batch)
            encoded += len(batch)
    return encoded / elapsed, 1000 * (time.process_time() - start_cpu) / encoded


def main(encoder_dir: str, texts_file: str, seconds: str, device: str, *batches: str) -> None:
    """Print the engine, the texts per second by batch size, and the share of padding as JSON."""
    device = "cuda:0" if device == "cuda" else device
    encoder = Encoder.load({"encoder_dir": encoder_dir}, device)
    content = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    texts = [text.encode() for text in content["texts"]]
    measured = {rows: rate(encoder, texts, int(rows), float(seconds)) for rows in batches}
    found = {
        "engine": encoder.description,
        "rates": {rows: per_s for rows, (per_s, _) in measured.items()},
        "cpu_ms": {rows: cpu_ms for rows, (_, cpu_ms) in measured.items()},
        "padding_share": encoder.padding()[1] / encoder.padding()[0],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
