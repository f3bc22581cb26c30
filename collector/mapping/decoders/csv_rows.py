"""Tables of cells."""

import csv
from collections.abc import Iterator, Sequence

from collector.mapping.body_rules import BodyRules
from collector.mapping.decoders.refusals import NODES_LIMIT, UndecodableError, crowded
from collector.mapping.decoders.whole_json import twice
from collector.mapping.tree import Tree, Unended

Row = list[str]


def decode(rules: BodyRules, text: str) -> Tree:
    """Decode rows: objects by the names of the first row, or lists of cells without one.

    Cells are stripped, empty lines passed over. A row with more cells than there are names is refused: a decimal comma
    between comma-separated cells shifts every value behind it. The cells of a shorter one (without names: than the
    longest) are all `Unended`: it is torn, and nobody knows on which side.

    Raises:
        UndecodableError: the quotes are not closed, a name occurs twice, a row is too long.
    """
    if text.count(rules.delimiter) + text.count("\n") > NODES_LIMIT:
        raise crowded()
    rows = list(_rows(rules, text))
    if rules.header:
        return _objects(rows, cut=_is_cut(rules, text))
    width = max((len(cells) for _, cells in rows), default=0)
    found = [cells if len(cells) == width else _torn(cells) for _, cells in rows]
    return [*found[:-1], _cut(found[-1])] if found and _is_cut(rules, text) else found


def _is_cut(rules: BodyRules, text: str) -> bool:
    return rules.ends_with is None and not text.endswith("\n")


def _rows(rules: BodyRules, text: str) -> Iterator[tuple[int, Row]]:
    reader = csv.reader((f"{line}\n" for line in text.split("\n")), delimiter=rules.delimiter, strict=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped) or len(stripped) > 1:
                yield reader.line_num, stripped
    except csv.Error as error:
        stage = "truncated" if "unexpected end" in str(error) else "decode"
        raise UndecodableError(f"not CSV: {str(error)[:80]} at line {reader.line_num}", stage) from None


def _objects(rows: Sequence[tuple[int, Row]], *, cut: bool) -> list[dict[str, str]]:
    if not rows:
        return []
    names = rows[0][1]
    if len(set(names)) != len(names):
        raise twice(names)
    found = [_object(names, cells, line) for line, cells in rows[1:]]
    if found and cut:
        found[-1] = dict(zip(found[-1], _cut(list(found[-1].values())), strict=True))
    return found


def _object(names: Row, cells: Row, line: int) -> dict[str, str]:
    if len(cells) > len(names):
        raise UndecodableError(f"{len(cells)} cells in line {line}, and {len(names)} names in the first")
    return dict(zip(names, cells if len(cells) == len(names) else _torn(cells), strict=False))


def _torn(cells: Row) -> Row:
    return [Unended(cell) for cell in cells]


def _cut(cells: Row) -> Row:
    return [*cells[:-1], Unended(cells[-1])]
