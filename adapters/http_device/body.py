"""The body of an answer, decompressed, within its limit."""

import zlib
from collections.abc import Iterator

from collector.domain.errors import AnswerTooLargeError, MalformedAnswerError

# Window bits that make zlib tell gzip and zlib streams apart by itself.
GZIP_OR_ZLIB = 47
STEP = 65_536
EMPTY_BLOCKS = 65_536
"""Bytes that compression may add to a body: its headers, and blocks with nothing in them, of which there is no end."""
INFLATED = {"gzip", "x-gzip", "deflate"}
# Compressions that nobody asked for and that cannot be undone here. Any other word is ignored: real devices send
# "UTF-8" and the like as Content-Encoding of a plain body.
REFUSED = {"br", "zstd", "compress", "x-compress"}


class Body:
    """Collects a body, decompressed as its Content-Encoding says; a bomb is never inflated beyond the limit."""

    def __init__(self, content_encoding: str, max_bytes: int) -> None:
        """Begin with nothing.

        Raises:
            MalformedAnswerError: compressed in a way that nobody asked for and that cannot be undone.
        """
        self._inflater, self._max_bytes = _inflater(content_encoding), max_bytes
        self._read, self._taken = bytearray(), 0

    @property
    def compressed(self) -> bool:
        """Whether it grows when it is read."""
        return self._inflater is not None

    def take(self, part: bytes | bytearray) -> None:
        """The next part.

        Raises:
            AnswerTooLargeError: over `max_bytes` after decompression, or that much of what inflates to nothing.
            MalformedAnswerError: the body is not what Content-Encoding says.
        """
        self._taken += len(part)
        if self._taken > self._max_bytes + EMPTY_BLOCKS:
            raise AnswerTooLargeError(f"too_large: the answer has more than {self._max_bytes} bytes")
        for piece in self._inflater.feed(part) if self._inflater else (part,):
            if len(self._read) + len(piece) > self._max_bytes:
                raise AnswerTooLargeError(f"too_large: the answer has more than {self._max_bytes} bytes")
            self._read += piece

    def whole(self) -> bytes:
        """Everything, after the last part.

        Raises:
            MalformedAnswerError: the compressed stream is cut.
        """
        if self._inflater:
            self._inflater.finish()
        return bytes(self._read)


def _inflater(header: str) -> "_Inflater | None":
    codings = [word for part in header.split(",") if (word := part.strip().lower()) not in ("", "identity")]
    known = [word for word in codings if word in INFLATED]
    if REFUSED.intersection(codings) or (known and len(codings) > 1):
        raise MalformedAnswerError(f"encoding: {header[:80]!r} was not asked for and cannot be undone")
    return _Inflater() if known else None


class _Inflater:
    """Undoes gzip and deflate, in steps of limited size."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(GZIP_OR_ZLIB)
        self._fed = False

    def feed(self, data: bytes | bytearray) -> Iterator[bytes]:
        """Further bytes, in pieces of at most `STEP`; whoever has enough takes no more of them."""
        self._fed = self._fed or bool(data)
        while data:
            if self._stream.eof:  # gzip allows several members, one after the other
                self._stream = zlib.decompressobj(GZIP_OR_ZLIB)
            try:
                yield self._stream.decompress(data, STEP)
            except zlib.error:
                raise MalformedAnswerError(
                    "encoding: the body is not the gzip or deflate that its header says"
                ) from None
            data = self._stream.unconsumed_tail or self._stream.unused_data

    def finish(self) -> None:
        """Check that the compressed stream has its end.

        Raises:
            MalformedAnswerError: it has none: the answer was cut.
        """
        if self._fed and not self._stream.eof:
            raise MalformedAnswerError("encoding: the compressed body is cut")
