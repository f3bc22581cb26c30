"""A secret that can be found again, in whatever dress, wherever it was left."""

import base64
import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path


def dresses(secret: str) -> tuple[bytes, ...]:
    """The secret as text, in hexadecimal digits, and in base64 wherever it begins; it has letters and digits only.

    Percent-encoding and escapes of HTML, JSON and YAML leave such a text as it is.
    """
    raw = secret.encode()
    assert secret.isalnum()
    return (raw, raw.hex().encode(), raw.hex().upper().encode(), *_in_base64(raw))


def _in_base64(raw: bytes) -> Iterator[bytes]:
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw)
        first = (before * 8 + 5) // 6
        last = len(encoded.rstrip(b"=")) - (1 if (before + len(raw)) % 3 else 0)
        yield encoded[first:last]


def files_with(folder: Path, secrets: Iterable[str], but: Iterable[Path] = ()) -> set[str]:
    """Files below the folder that hold one of the secrets, but for those where it belongs; `path: dress` each."""
    wanted, homes = [dress for secret in secrets for dress in dresses(secret)], [*but]
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size and not any(path.is_relative_to(home) for home in homes):
            found |= {f"{path.relative_to(folder)}: {dress!r}" for dress in _held(path, wanted)}
    return found


def texts_with(texts: dict[str, str], secrets: Iterable[str]) -> set[str]:
    """Names of the texts that hold one of the secrets."""
    wanted = [dress.decode() for secret in secrets for dress in dresses(secret)]
    return {name for name, text in texts.items() if any(dress in text for dress in wanted)}


def _held(path: Path, wanted: Iterable[bytes]) -> list[bytes]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return [dress for dress in wanted if content.find(dress) >= 0]
