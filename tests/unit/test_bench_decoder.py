import torch

from benchmarks import rank_decoder
from benchmarks.decoder_passes import Bucket, Reader, some_inputs
from models.ranker.attention import Packing, use_packed_attention
from models.ranker.ranker import Ranker


def tiny(bucket: Bucket) -> tuple[Ranker, Reader, list[torch.Tensor]]:
    ranker = rank_decoder.decoder_ranker("tiny", "cpu", torch.float32)
    torch.nn.init.normal_(ranker.head.language.weight)
    return ranker, Reader(ranker, bucket, "cpu"), some_inputs(ranker, bucket, seed=1)


@torch.inference_mode()
def test_blocks_and_kept_prefixes_say_what_the_service_says() -> None:
    for text_tokens in (0, 3):
        bucket = Bucket(users=2, words=3, events=5, candidates=4, text_tokens=text_tokens)
        ranker, reader, (words, events, candidates, texts) = tiny(bucket)
        whole = reader.whole(words, events, candidates, texts)
        tail = reader.tail(candidates, texts, reader.prefix(words, events))
        torch.testing.assert_close(tail, whole, atol=1e-5, rtol=1e-4)

        use_packed_attention(ranker.language_model)
        prefix = torch.ones(8, 8, dtype=torch.bool).tril()
        prefix[:3, :3] = True
        packing = Packing(
            8,
            prefix.expand(2, -1, -1),
            torch.ones(2, 4, 8, dtype=torch.bool),
            torch.ones(2, 4, 1 + text_tokens, dtype=torch.bool),
        )
        places = torch.cat([reader.places, reader.own], 1).expand(2, -1)
        states = ranker.read(words, events, candidates, texts, places, packing)
        expected = ranker.head.language(states)[..., 0]
        assert expected.std() > 0.1
        torch.testing.assert_close(whole, expected, atol=1e-5, rtol=1e-4)


def test_a_tiny_decoder_is_measured_without_a_gpu() -> None:
    sizes = ["--users", "2", "--candidates", "3", "--text-tokens", "0", "2", "--events", "4"]
    told = rank_decoder.main(
        ["--decoder", "tiny", "--device", "cpu", "--seconds", "0", "--out", "", *sizes]
    )
    rows = told["rows"]
    assert [(row["mode"], row["pass"]) for row in rows] == [
        ("item", "whole"),
        ("item", "tail"),
        ("text", "whole"),
        ("text", "tail"),
    ]
    assert all(row["items_per_s_at_p50"] >= row["items_per_s_at_p99"] > 0 for row in rows)


def test_the_work_of_a_pass_is_that_of_its_weights_and_tokens() -> None:
    ranker = rank_decoder.decoder_ranker("tiny", "cpu", torch.float32)
    bucket = Bucket(users=2, words=3, events=5, candidates=4, text_tokens=1)
    # Two layers: queries and outputs of 64 x 64, keys and values of 64 x 32, three of 64 x 96, the
    # biases of queries, keys and values, and norms.
    weights = 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 96 + 128 + 2 * 64) + 64
    attention = 4 * 64 * 2 * (8 * (8 + 2) + 8 * 8)
    assert rank_decoder.flops(ranker, bucket, prefix=True) == 2 * (2 * weights * 16 + attention)
    assert rank_decoder.flops(ranker, bucket, prefix=False) < 2 * (2 * weights * 8 + attention)
