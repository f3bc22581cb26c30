"""Pictures as files: small, and without anything that tells where they were made."""

import io
from pathlib import Path

from PIL import Image

from handbook.screenshots.errors import PictureError

LARGEST_BYTES = 200_000
COLOURS = 128
"""Pages of a user interface have few: a palette makes a third of the size, and nobody sees it."""


def keep(png: bytes, file: Path) -> int:
    """Write the picture with a palette, and nothing beside its pixels; its size in bytes.

    Raises:
        PictureError: it is too large for a document.
    """
    with Image.open(io.BytesIO(png)) as image:
        flat = image.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    flat.save(out, "PNG", optimize=True)
    if out.tell() > LARGEST_BYTES:
        raise PictureError(f"{file.name} has {out.tell()} bytes, more than {LARGEST_BYTES}; show less")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(out.getvalue())
    return out.tell()
