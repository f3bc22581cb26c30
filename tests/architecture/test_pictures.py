"""Pictures in documents: there, small, really PNG, made by `make screenshots`; and none that nobody shows."""

import re
import struct
from pathlib import Path

import pytest

from handbook.screenshots.pictures import LARGEST_BYTES
from handbook.screenshots.scenes import TERMINAL, WEB

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
MAGIC = b"\x89PNG\r\n\x1a\n"
UNTOLD = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME")
"""Parts of a PNG that could say where and by whom it was made."""


def shown(markdown: str) -> list[str]:
    """Targets of the pictures of a document."""
    return re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", markdown)


def fault(picture: Path) -> str | None:
    """What is wrong with it; None = nothing."""
    if not picture.exists():
        return "is not there"
    data = picture.read_bytes()
    if not data.startswith(MAGIC) or data[12:16] != b"IHDR":
        return "is no PNG"
    if len(data) > LARGEST_BYTES:
        return f"has {len(data)} bytes"
    width, height = struct.unpack(">II", data[16:24])
    if not (300 <= width <= 2_000 and 100 <= height <= 2_000):
        return f"has {width} x {height} pixels"
    told = [part.decode() for part in UNTOLD if part in data]
    return f"tells more than its pixels: {told}" if told else None


def test_pictures_of_documents_are_there_and_small() -> None:
    found = {
        f"{document.relative_to(ROOT)}: {target} {wrong}"
        for document in DOCUMENTS
        for target in shown(document.read_text("utf-8"))
        if target.endswith(".png") and "://" not in target
        if (wrong := fault((document.parent / target).resolve()))
    }
    assert found == set()


def test_every_picture_is_made_by_the_script_and_shown_somewhere() -> None:
    made = {"terminal-up", *TERMINAL, *WEB}
    assert {file.stem for file in IMAGES.glob("*.png")} == made
    used = {Path(t).stem for document in DOCUMENTS for t in shown(document.read_text("utf-8"))}
    assert made - used == set()


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (None, "is not there"),
        (b"<svg/>", "is no PNG"),
        (MAGIC + b"\0\0\0\rIHDR" + struct.pack(">II", 20, 20), "has 20 x 20 pixels"),
        (
            MAGIC + b"\0\0\0\rIHDR" + struct.pack(">II", 900, 400) + b"tEXtAuthor",
            "tells more than its pixels: ['tEXt']",
        ),
        (MAGIC + b"\0\0\0\rIHDR" + b"x" * LARGEST_BYTES, f"has {LARGEST_BYTES + 16} bytes"),
        (MAGIC + b"\0\0\0\rIHDR" + struct.pack(">II", 900, 400), None),
    ],
)
def test_a_planted_fault_is_found(tmp_path: Path, data: bytes | None, wrong: str | None) -> None:
    picture = tmp_path / "picture.png"
    if data is not None:
        picture.write_bytes(data)
    assert fault(picture) == wrong
