"""Faults of content in bytes and structure: charsets, marks, nesting, keys, order, torn rows."""

import itertools
import json
import re
from dataclasses import replace
from typing import Any

from simulator.dialects import Answer, Shape
from simulator.dialects.marks import MARK, Mark, Place, Token, as_sent, glued, marks, written
from simulator.faults.fault import Kind
from simulator.faults.telling import Content, Telling

LEVELS, LAUGHS = 8_000, 9
JSON = (Shape.JSON.value,)


def _around(before: bytes = b"", after: bytes = b"") -> Content:
    return lambda telling: replace(telling.usual, body=before + telling.usual.body + after)


# ---- bytes


def _latin_1(telling: Telling) -> Answer:
    text = written(telling.dialect.write(telling.moment), _glued_temperature)
    return Answer(text.encode("latin-1", "replace"), telling.dialect.content_type, 200, telling.dialect.headers)


def _glued_temperature(mark: Mark) -> Token:
    return glued(mark) if mark.quantity == "temperature" else as_sent(mark)


def _deep(telling: Telling) -> Answer:
    if telling.dialect.shape is Shape.XML:
        return replace(telling.usual, body=b"<a>" * LEVELS + b"</a>" * LEVELS)
    return replace(telling.usual, body=b"[" * LEVELS + b"]" * LEVELS)


def _entity_bomb(telling: Telling) -> Answer:
    names = [f"l{level}" for level in range(LAUGHS)]
    entities = [f'<!ENTITY {names[0]} "ha">']
    entities += [f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in itertools.pairwise(names)]
    text = f"<?xml version='1.0'?><!DOCTYPE x [{''.join(entities)}]><x>&{names[-1]};</x>"
    return replace(telling.usual, body=text.encode())


# ---- structure


def _duplicate(telling: Telling) -> Answer:
    """The temperature's key twice in its object, the second time with a number that was never measured."""
    draft = telling.dialect.write(telling.moment)
    keyed = re.finditer(rf'("[^"]+": ){MARK.pattern}', draft)
    found = next(found for found in keyed if marks(found[0])[0].quantity == "temperature")
    before, behind = written(draft[: found.end()]), written(draft[found.end() :])
    return telling.dialect.finished(f"{before}, {found[1]}99{behind}")


def _renamed(telling: Telling) -> Answer:
    text = telling.usual.body.decode(telling.dialect.charset)
    channel = telling.dialect.channel
    return telling.dialect.finished(text.replace(channel, f"{channel[:1]}x{channel[1:]}"))


def _not_yet(telling: Telling) -> Answer:
    """The keys of what is measured are missing, as in the first seconds after a start."""
    empty = telling.dialect.answer(telling.moment, lambda _: Token("null", literal=True))
    return replace(
        empty, body=json.dumps(_without_nulls(json.loads(empty.body.decode(telling.dialect.charset)))).encode()
    )


def _without_nulls(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without_nulls(value) for key, value in tree.items() if value is not None}
    return [_without_nulls(value) for value in tree] if isinstance(tree, list) else tree


def _reordered(telling: Telling) -> Answer:
    text = telling.usual.body.decode(telling.dialect.charset)
    if telling.dialect.shape is Shape.JSON:
        return telling.dialect.finished(json.dumps(_turned(json.loads(text)), ensure_ascii=False))
    if telling.dialect.shape is Shape.CSV:
        return telling.dialect.finished("".join(f"{','.join(row.split(',')[::-1])}\n" for row in text.splitlines()))
    if telling.dialect.shape is Shape.PAIRS:
        return telling.dialect.finished(",".join(text.split(",")[::-1]))
    return telling.dialect.finished("".join(text.splitlines(keepends=True)[::-1]))


def _turned(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _turned(value) for key, value in reversed(tree.items())}
    return [_turned(value) for value in reversed(tree)] if isinstance(tree, list) else tree


def _torn(telling: Telling) -> Answer:
    """It ends behind the first digit of the last temperature, and says that this is all."""
    draft = telling.dialect.write(telling.moment)
    last = [found for found in MARK.finditer(draft) if marks(found[0])[0].quantity == "temperature"][-1]
    before, mark = written(draft[: last.start()]), marks(last[0])[0]
    quote = '"' if mark.place is Place.TEXT else ""
    return telling.dialect.finished(before + quote + mark.value[:1])


STRUCTURE: dict[str, Kind[Content]] = {
    "keys-missing": Kind(about="what it measures is missing, as after a start", play=_not_yet, shapes=JSON),
    "latin-1": Kind(about="a degree sign in Latin-1", play=_latin_1),
    "bom": Kind(about="a byte order mark before the body", play=_around(before=b"\xef\xbb\xbf")),
    "nul": Kind(about="a NUL behind the body", play=_around(after=b"\x00")),
    "duplicate-keys": Kind(about="a key twice in one object", play=_duplicate, shapes=JSON),
    "entity-bomb": Kind(
        about="entities that grow to gigabytes", play=_entity_bomb, shapes=(Shape.XML.value,), valued=False
    ),
    "deep-nesting": Kind(about="8,000 levels", play=_deep, valued=False),
    "key-order": Kind(
        about="keys, lists or columns in the opposite order",
        play=_reordered,
        shapes=(Shape.JSON.value, Shape.FRAGMENT.value, Shape.CSV.value, Shape.PAIRS.value),
    ),
    "channel-renamed": Kind(about="the temperature has another name", play=_renamed),
    "torn-row": Kind(about="a whole answer that ends inside a number", play=_torn),
}
"""Called with a `Telling`."""
