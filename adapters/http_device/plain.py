"""Heads of answers that leave nothing to interpret: what nearly every answer is.

Everything else (chunks, compression, redirects, bodies that end with the connection, bare LF, folded or doubled
headers) is h11's to judge. This is a subset of what h11 takes, and reads the same in it: a property test compares them.
"""

import re
from dataclasses import dataclass

BEGIN = b"HTTP/"
EMPTY_LINE = re.compile(rb"\n\r?\n")
"""The end of a head, whether its lines end in CRLF or, which is odd, in LF alone."""
HEAD_LIMIT = 8_192
"""Longer heads are h11's, which has its own limit; so is the time that the expressions here may take."""
HEAD = re.compile(
    rb"HTTP/1\.[01] ([2-9][0-9]{2})(?: [\x20-\x7e\x80-\xff]*)?\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)+)\r\n"
)
TOLD = re.compile(
    rb"^(content-length|content-type|content-encoding|transfer-encoding|location):([^\r]*)\r$",
    re.IGNORECASE | re.MULTILINE,
)
LENGTH = re.compile(rb"[0-9]{1,15}")
BODILESS = (204, 304)
LENGTH_ALONE, WITH_TYPE = {b"content-length"}, {b"content-length", b"content-type"}


@dataclass(frozen=True, slots=True)
class PlainHead:
    """Status line and headers of an answer whose body has a length.

    Attributes:
        status: 200 to 999.
        content_type: as sent.
        body_at: where the body begins.
        length: bytes of the body.
    """

    status: int
    content_type: str
    body_at: int
    length: int


def plain_head(data: bytes | bytearray, end: int) -> PlainHead | None:
    """The head of the answer if it is plain; None = h11 is to judge.

    Args:
        data: the answer so far.
        end: where its first `EMPTY_LINE` ends.
    """
    found = HEAD.match(data)
    if found is None or found.end() != end:
        return None
    status, told = int(found[1]), TOLD.findall(found[2])
    headers = {name.lower(): value.strip(b" \t") for name, value in told}
    if len(headers) != len(told) or headers.keys() not in (WITH_TYPE, LENGTH_ALONE) or status in BODILESS:
        return None
    length = headers[b"content-length"]
    if not LENGTH.fullmatch(length):
        return None
    return PlainHead(status, headers.get(b"content-type", b"").decode("latin-1"), found.end(), int(length))
