"""The body of an answer, decompressed, within its limit."""

import zlib

import httpx

from collector.domain.errors import AnswerTooLargeError, MalformedAnswerError

# Window bits that make zlib tell gzip and zlib streams apart by itself.
GZIP_OR_ZLIB = 47
INFLATED = {"gzip", "x-gzip", "deflate"}
# Compressions that nobody asked for and that cannot be undone here. Any other word is ignored: real devices send
# "UTF-8" and the like as Content-Encoding of a plain body.
REFUSED = {"br", "zstd", "compress", "x-compress"}


async def read_body(response: httpx.Response, max_bytes: int) -> bytes:
    """Read until the end, or one byte over the limit; a bomb is never inflated further than that.

    Raises:
        AnswerTooLargeError: over `max_bytes` after decompression.
        MalformedAnswerError: the body is not what Content-Encoding says, or its compressed stream is cut.
    """
    inflater = _inflater(response.headers.get("content-encoding", ""))
    body = bytearray()
    async for part in response.aiter_raw():
        body += inflater.feed(part, max_bytes + 1 - len(body)) if inflater else part
        if len(body) > max_bytes:
            raise AnswerTooLargeError(f"too_large: the answer has more than {max_bytes} bytes")
    if inflater:
        inflater.finish()
    return bytes(body)


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

    def feed(self, data: bytes, limit: int) -> bytes:
        """At most `limit` (> 0) more bytes; when there are more, the rest is lost."""
        out = bytearray()
        self._fed = self._fed or bool(data)
        while data and len(out) < limit:
            if self._stream.eof:  # gzip allows several members, one after the other
                self._stream = zlib.decompressobj(GZIP_OR_ZLIB)
            try:
                out += self._stream.decompress(data, limit - len(out))
            except zlib.error:
                raise MalformedAnswerError(
                    "encoding: the body is not the gzip or deflate that its header says"
                ) from None
            data = self._stream.unconsumed_tail or self._stream.unused_data
        return bytes(out)

    def finish(self) -> None:
        """Check that the compressed stream has its end.

        Raises:
            MalformedAnswerError: it has none: the answer was cut.
        """
        if self._fed and not self._stream.eof:
            raise MalformedAnswerError("encoding: the compressed body is cut")
