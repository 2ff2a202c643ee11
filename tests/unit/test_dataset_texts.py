import time
from pathlib import Path

import pyarrow as pa
import pytest

from training.datasets import CleaningReport, open_dataset
from training.datasets.texts import remove_html, repair, repair_encoding


@pytest.mark.parametrize(
    ("damaged", "repaired"),
    [
        ("AmÃ©lie", "Amélie"),
        ("l’AmÃ©ricaine", "l’Américaine"),
        ("donâ€™t look", "don’t look"),
        ("è¿™æ˜¯ä¸€ä¸ªæµ‹è¯•", "这是一个测试"),
    ],
)
def test_damaged_encoding_is_repaired(damaged: str, repaired: str) -> None:
    assert repair_encoding(damaged) == repaired


@pytest.mark.parametrize(
    "text",
    [
        "Amélie",
        "这是一个测试，全角！",
        "naïve café – “quoted”",
        "ガラスの仮面",
        "Ich weiß",
        "5 × 3 ½",
    ],
)
def test_sound_texts_are_left_as_they_are(text: str) -> None:
    assert remove_html(repair_encoding(text)) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a <b>bold</b> word", "a bold word"),
        ('one<br/>two<p class="x">three</p>', "one two three"),
        ("fish &amp; chips &lt;3 &#39;now&#39;", "fish & chips <3 'now'"),
        ("caf&amp;eacute;", "café"),
        ("if a < b and c > d, I <3 AT&T", "if a < b and c > d, I <3 AT&T"),
        ("<script>alert('x')</script>safe<!-- not -->", "safe"),
        ("the <Unknown> device", "the <Unknown> device"),
    ],
)
def test_html_becomes_plain_text(written: str, read: str) -> None:
    report = CleaningReport()

    assert repair(pa.array([written]), 1_000, report).to_pylist() == [read]
    assert report.texts_with_html_removed == int(written != read)


def test_long_texts_are_cut_between_characters() -> None:
    report = CleaningReport()

    assert repair(pa.array(["汉字汉字"]), 7, report).to_pylist() == ["汉字"]
    assert report.texts_shortened == 1


def test_a_text_made_to_be_slow_is_not_slow() -> None:
    hostile = ["<script" * 40_000, "<p " * 90_000, "&" * 260_000, "Ã" * 130_000, "<!--" * 60_000]
    started = time.monotonic()

    repair(pa.array(hostile), 65_536, CleaningReport())

    assert time.monotonic() - started < 10.0


def test_repairs_are_counted_and_empty_titles_stay(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text(
        "user_id,item_id,timestamp,text\nu,a,1,<i>nice</i>\nu,b,2,\n"
    )
    (tmp_path / "items.csv").write_text(
        "item_id,title,description,tags\na,AmÃ©lie,,slow &amp; warm|x\nb,,,\nc,,only this,\n"
    )

    data = open_dataset(str(tmp_path), rejects=None)

    assert data.items["title"].tolist() == ["Amélie", "", ""]
    assert data.items["tags"][0] == ["slow & warm", "x"]
    assert data.interactions["text"].tolist() == ["nice", ""]
    assert data.report.texts_with_encoding_repaired == 1
    assert data.report.texts_with_html_removed == 2
    assert data.report.items_without_text == 1
