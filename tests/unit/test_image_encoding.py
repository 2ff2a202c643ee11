"""Images become what the tower was trained on, and both engines say the same of them."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tandem_cli.encoder_settings import EncoderUnusable
from tandem_cli.images.directory import prepare_tower
from tandem_cli.images.preprocessing import read_preprocessing
from tests.support.image_encoding import encoder, picture, pixels
from tests.support.tiny_tower import SIDE, processor, write_tiny_tower

SIZES = [(60, 40), (40, 60), (SIDE, SIDE), (31, 200), (7, 5)]


@pytest.fixture(scope="module", params=["clip", "siglip", "vit", "convnext"])
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tower")
    return prepare_tower(write_tiny_tower(root / "tiny", kind=request.param), root / "out")


@pytest.fixture
def reader(tmp_path: Path) -> pixels.Pixels:
    processor(SIDE).save_pretrained(tmp_path)
    return pixels.Pixels(read_preprocessing(tmp_path))


def load(directory: Path, engine: str) -> encoder.ImageEncoder:
    return encoder.ImageEncoder.load({"encoder_dir": str(directory), "engine": engine}, "cpu")


@pytest.mark.parametrize("size", SIZES)
def test_pixels_are_those_of_hugging_face(reader: pixels.Pixels, size: tuple[int, int]) -> None:
    encoded = picture(1, size=size)
    ours = reader.read(encoded)
    image = Image.open(io.BytesIO(encoded))
    theirs = processor(SIDE)(image, return_tensors="np")["pixel_values"][0]
    assert ours is not None
    assert ours.shape == (3, SIDE, SIDE)
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_every_kind_of_file_is_read(reader: pixels.Pixels, kind: str) -> None:
    read, lossless = reader.read(picture(2, kind=kind)), reader.read(picture(2))
    assert read is not None
    assert lossless is not None
    assert np.abs(read - lossless).mean() < 0.3


def test_a_picture_is_read_upright(reader: pixels.Pixels) -> None:
    image = Image.open(io.BytesIO(picture(3, size=(SIDE, SIDE))))
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image.rotate(180).save(turned, "PNG", exif=exif)
    np.testing.assert_allclose(
        reader.read(turned.getvalue()), reader.read(picture(3, size=(SIDE, SIDE))), atol=1e-5
    )


@pytest.mark.parametrize(
    "encoded", [b"", b"no image", picture(1)[:60], b"\x89PNG\r\n\x1a\n" + bytes(50)]
)
def test_what_is_no_image_is_told(reader: pixels.Pixels, encoded: bytes) -> None:
    assert reader.read(encoded) is None


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused(reader: pixels.Pixels) -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 5_000)).save(file, "PNG")
    assert len(file.getvalue()) < 100_000
    assert reader.read(file.getvalue()) is None


def test_openvino_and_torch_say_the_same(directory: Path) -> None:
    images = [picture(seed, size=size) for seed, size in enumerate(SIZES)]
    openvino, usable = load(directory, "openvino").encode([*images, b"none"])
    torch, _ = load(directory, "torch").encode([*images, b"none"])
    assert usable.tolist() == [True] * len(images) + [False]
    np.testing.assert_allclose(np.linalg.norm(torch[:-1], axis=1), 1.0, atol=1e-3)
    assert (openvino * torch)[:-1].sum(axis=1).min() >= 0.999
    assert not openvino[-1].any()


def test_a_tower_is_found_again_and_another_one_is_another_version(tmp_path: Path) -> None:
    tower = write_tiny_tower(tmp_path / "tower")
    first = prepare_tower(tower, tmp_path / "out")
    assert prepare_tower(tower, tmp_path / "out") == first
    other = prepare_tower(write_tiny_tower(tmp_path / "tower", seed=1), tmp_path / "out")
    assert other != first
    with pytest.raises(encoder.EncoderUnusable, match=f"not {first.name}"):
        encoder.ImageEncoder.load({"encoder_dir": str(other), "encoder_version": first.name}, "cpu")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"do_normalize": False}, "do_normalize"),
        ({"size": {"longest_edge": 64}}, "neither shortest_edge"),
        ({"crop_size": {"height": 8, "width": 4}}, "square"),
        ({"crop_size": 64}, "greater than size"),
    ],
)
def test_what_cannot_be_done_to_pixels_is_refused(
    tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    tower = write_tiny_tower(tmp_path / "tower")
    file = tower / "preprocessor_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(EncoderUnusable, match=problem):
        prepare_tower(tower, tmp_path / "out")
