"""What pictures are made of: a terminal's last screen, a drawing that asks no foreign server, a small PNG."""

import io
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from handbook.screenshots.errors import PictureError
from handbook.screenshots.pictures import LARGEST_BYTES, keep
from handbook.screenshots.terminal import drawing, shown


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("one\r\ntwo\r\n", "one\ntwo"),
        ("\x1b[?25lold\r\n\x1b[32mrows\x1b[0m\r\x1b[2K\x1b[1A\x1b[2Knew\r\nlines\x1b[?25h", "new\nlines"),
        ("table\r\n\x1b[1A\x1b[2Ka note\r\ntable\r\n", "a note\ntable"),
        ("a\r\nb\r\nc\x1b[2K\x1b[2A\x1b[2Kd", "d\nb"),
        ("\x1b[9A\x1b[2Kx", "x"),
    ],
)
def test_what_was_erased_is_not_shown(written: str, left: str) -> None:
    assert shown(written) == left


def test_a_drawing_asks_no_other_server() -> None:
    svg = drawing("\x1b[31mfailing\x1b[0m <b>", "chamberlog top", 40)
    assert "failing" in svg
    assert "font-face" not in svg
    assert [line for line in svg.splitlines() if "http" in line and "xmlns" not in line and "<!--" not in line] == []


def test_a_picture_is_kept_small_and_tells_nothing_else(tmp_path: Path) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", "somebody")
    png = io.BytesIO()
    Image.effect_noise((300, 200), 40).convert("RGB").save(png, "PNG", pnginfo=told)
    size = keep(png.getvalue(), tmp_path / "images" / "a.png")
    data = (tmp_path / "images" / "a.png").read_bytes()
    assert size == len(data) < len(png.getvalue())
    assert b"somebody" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert (image.mode, image.size) == ("P", (300, 200))


def test_a_picture_that_is_too_large_is_refused(tmp_path: Path) -> None:
    png = io.BytesIO()
    Image.effect_noise((900, 900), 90).save(png, "PNG")
    with pytest.raises(PictureError, match=f"more than {LARGEST_BYTES}"):
        keep(png.getvalue(), tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
