"""Ways in which an answer is spoilt."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

TOKEN = re.compile(rb"[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*|[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
NUMBER = re.compile(rb"(?<![A-Za-z0-9_.\x80-\xff])[+-]?[0-9]+(?:\.[0-9]+)?")
WORDS = [
    *(b"N/A", b"n/a", b"nan", b"NaN", b"-NaN", b"Infinity", b"inf", b"Error 2", b"-", b"--", b"null", b"true", b"{}"),
    *(
        b"[]",
        b"PermissionDenied",
        b"unavailable",
        b"?",
        b"&deg;C",
        b"0x1F",
        b"1e999",
        b"1'234.5",
        b"1.2.3",
        b"",
        b"...",
    ),
]
SENTINELS = [b"-999", b"-999.9", b"-9999", b"-32768", b"-99999"]
HUGE = [b"9" * 30, b"-" + b"9" * 30, b"9" * 400, b"1" + b"0" * 4400, b"0." + b"9" * 400 + b"e400"]
PIECES = [
    *(b'"', b"'", b"{", b"}", b"[", b"]", b"(", b"<", b">", b"</", b"/>", b"\x00", b"\xb6", b"\xef\xbb\xbf", b"&deg;"),
    *(
        b"&#0;",
        b"&x;",
        b"<!--",
        b"]]>",
        b",",
        b";",
        b":",
        b"=",
        b"|",
        b"\\",
        b"\\u",
        b"#",
        b"//",
        b"\n",
        b"\r",
        b"\x1b",
    ),
    *(
        b"%",
        b"\xb0",
        b"\xc2\xb0",
        b"\xe2\x80\x9c",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"<br>",
        b"&",
        b"$",
        b"*",
        b"\t",
        b" ",
    ),
]
BLANKS = [b" ", b"\n", b"\r\n", b"\t", b"\n\n", b"\x00", b"\x0b", b"\xa0", b"\x0c"]
CHARSETS = ["utf-8", "utf-8-sig", "iso-8859-1", "iso-8859-2", "cp1250", "cp1252", "utf-16", "utf-16-le", "utf-7"]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way.

    Attributes:
        name: for people.
        apply: of the randomness, the answer, and another one of the same device family.
        edits: it may itself write a whole other number at a key: then only what it really wrote is excused.
        takes_keys: it may take a key away, and leave what a device with other names answers.
        joins: the other answer's numbers are as right as its own.
    """

    name: str
    apply: Callable[[Random, bytes, bytes], bytes]
    edits: bool = False
    takes_keys: bool = False
    joins: bool = False


def _place(rng: Random, body: bytes) -> int:
    """Anywhere, or where a word or number begins or ends."""
    if rng.random() < 0.5:
        return rng.randint(0, len(body))
    edges = [edge for token in TOKEN.finditer(body) for edge in token.span()]
    return rng.choice(edges) if edges else rng.randint(0, len(body))


def _span(rng: Random, body: bytes) -> tuple[int, int]:
    first, last = sorted((_place(rng, body), _place(rng, body)))
    return first, min(last, first + rng.choice((1, 4, 16, 64, 256)))


def _cut(rng: Random, body: bytes, _: bytes) -> bytes:
    return body[: rng.randint(0, len(body))]


def _behead(rng: Random, body: bytes, _: bytes) -> bytes:
    return body[rng.randint(0, len(body)) :]


def _remove(rng: Random, body: bytes, _: bytes) -> bytes:
    first, last = _span(rng, body)
    return body[:first] + body[last:]


def _double(rng: Random, body: bytes, _: bytes) -> bytes:
    first, last = _span(rng, body)
    return body[:last] + body[first:last] * rng.choice((1, 1, 1, 20)) + body[last:]


def _swap(rng: Random, body: bytes, _: bytes) -> bytes:
    a, b, c, d = sorted(_place(rng, body) for _ in range(4))
    return body[:a] + body[c:d] + body[b:c] + body[a:b] + body[d:]


def _flip(rng: Random, body: bytes, _other: bytes) -> bytes:
    spoilt = bytearray(body)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        if spoilt:
            at = rng.randrange(len(spoilt))
            spoilt[at] = rng.choice((rng.randrange(256), spoilt[at] ^ (1 << rng.randrange(8))))
    return bytes(spoilt)


def _insert(rng: Random, body: bytes, _: bytes) -> bytes:
    at = _place(rng, body)
    return body[:at] + rng.choice(PIECES) * rng.choice((1, 1, 1, 1, 300)) + body[at:]


def _blank(rng: Random, body: bytes, _: bytes) -> bytes:
    at = _place(rng, body)
    return body[:at] + rng.choice(BLANKS) * rng.choice((1, 1, 3)) + body[at:]


def _line_ends(rng: Random, body: bytes, _: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n").replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b" \n", b"\n ", b"\n\x00")))


def _replacing(words: Sequence[bytes]) -> Callable[[Random, bytes, bytes], bytes]:
    def replace(rng: Random, body: bytes, _: bytes) -> bytes:
        numbers = list(NUMBER.finditer(body))
        if not numbers:
            return body
        first, last = rng.choice(numbers).span()
        word = rng.choice(words)
        if not word and body[last : last + 1] not in (b'"', b"<"):
            word = (
                b"?"  # nothing at all stands only where something encloses it: beside a number it would change that one
            )
        return body[:first] + word + body[last:]

    return replace


def _rename(rng: Random, body: bytes, _: bytes) -> bytes:
    words = [token for token in TOKEN.finditer(body) if not NUMBER.fullmatch(token[0])]
    if not words:
        return body
    word = rng.choice(words)
    new = rng.choice((word[0] + b"_x", word[0].swapcase(), word[0][:-1] or b"x", rng.choice(words)[0], b"", b"\xb6"))
    return body[: word.start()] + new + body[word.end() :]


def _charset(rng: Random, body: bytes, _: bytes) -> bytes:
    text = body.decode(rng.choice(("utf-8", "iso-8859-1")), "replace")
    return text.encode(rng.choice(CHARSETS), "replace")


def _nest(rng: Random, body: bytes, _: bytes) -> bytes:
    before, after = rng.choice(
        (
            (b'{"data":', b"}"),
            (b"[", b"]"),
            (b"<a>", b"</a>"),
            (b'"', b'"'),
            (b"{", b"}"),
            (b"(", b");"),
            (b"\n\n", b""),
        )
    )
    return before * (times := rng.choice((1, 1, 2, 70))) + body + after * times


def _html(rng: Random, body: bytes, _: bytes) -> bytes:
    return b"<html><body><pre>" * rng.choice((0, 1)) + body + b"</pre></body></html>"


def _again(_rng: Random, body: bytes, _: bytes) -> bytes:
    return body + body


def _joined(rng: Random, body: bytes, other: bytes) -> bytes:
    return body[: rng.choice((len(body), _place(rng, body)))] + other


def _tree(rng: Random, body: bytes, _: bytes) -> bytes:
    """Of JSON: one place of the tree is taken away, emptied, or wrapped."""
    try:
        tree = json.loads(body.decode("utf-8", "replace"))
    except ValueError:
        return _remove(rng, body, b"")
    places = list(_places(tree))
    if not places:
        return body
    holder, key = rng.choice(places)
    value = holder.pop(key)
    if rng.random() < 0.7:
        new = rng.choice((None, [], {}, [value], {"value": value}, [value, value], str(value), True, ""))
        holder.insert(key, new) if isinstance(holder, list) else holder.update({key: new})
    return json.dumps(tree, ensure_ascii=rng.random() < 0.5).encode("utf-8", "replace")


def _places(tree: Any) -> list[tuple[Any, Any]]:
    if not isinstance(tree, dict | list):
        return []
    here = list(tree) if isinstance(tree, dict) else range(len(tree))
    return [(tree, key) for key in here] + [place for key in here for place in _places(tree[key])]


MUTATIONS = (
    Mutation("truncated", _cut),
    Mutation("truncated", _cut),
    Mutation("beginning lost", _behead, takes_keys=True),
    Mutation("span removed", _remove, edits=True, takes_keys=True),
    Mutation("span doubled", _double, edits=True, takes_keys=True),
    Mutation("spans swapped", _swap, edits=True, takes_keys=True),
    Mutation("bytes flipped", _flip, edits=True, takes_keys=True),
    Mutation("bytes inserted", _insert, takes_keys=True),
    Mutation("blanks inserted", _blank, takes_keys=True),
    Mutation("line ends changed", _line_ends),
    Mutation("number replaced by a word", _replacing(WORDS), takes_keys=True),
    Mutation("number replaced by a sentinel", _replacing(SENTINELS), takes_keys=True),
    Mutation("number replaced by huge digits", _replacing(HUGE), takes_keys=True),
    Mutation("word renamed", _rename, edits=True, takes_keys=True),
    Mutation("charset changed", _charset),
    Mutation("nested", _nest),
    Mutation("made a page", _html),
    Mutation("sent twice", _again),
    Mutation("joined with another answer", _joined, edits=True, takes_keys=True, joins=True),
    Mutation("tree changed", _tree, edits=True, takes_keys=True),
)
