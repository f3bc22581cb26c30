"""Entity diagrams: written as text that GitHub draws, read from that text, and drawn as SVG for the site."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from handbook.schema import Relation, Schema

ROW, WIDTH, NARROW, GAP_X, GAP_Y, PAD = 17, 196, 128, 60, 22, 8
"""Pixels: height of a row, width of a box and of one without columns, between boxes, and around all."""
NAME = re.compile(r"^\s*(\w+)( \{)?$")
ATTRIBUTE = re.compile(r"^\s*([\w()\[\]-]+) (\w+)(?: (PK|FK|UK)(?:, (FK|UK))*)?$")
LINK = re.compile(r'^\s*(\w+) (\|\||\|o)--(o\{|o\|) (\w+) : "([^"]*)"$')
LEGEND = "From a line's bar to its fork: one has many; a ring at the bar: none or one, two rings: at most one."


class DiagramError(Exception):
    """The text is no entity diagram that can be drawn; names the line."""


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key: the child's columns lead to the parent.

    Attributes:
        optional: the child may have no parent.
        single: a parent has one child at most.
    """

    parent: str
    child: str
    columns: str
    optional: bool = False
    single: bool = False


@dataclass(slots=True)
class Diagram:
    """Entities with their attributes (type, name, keys), and links between them."""

    entities: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)


def diagram_of(schema: Schema, whole: Sequence[str], *, keys_only: bool = False) -> Diagram:
    """Draw some tables, and by name alone the others that their keys lead to.

    Args:
        schema: of the database.
        whole: tables that are drawn with their columns.
        keys_only: of the columns only those that a key has.
    """
    drawn = Diagram()
    for name in whole:
        table = schema.tables[name]
        drawn.entities[name] = [
            (column.type, column.name, keys)
            for column in table.columns
            if (keys := _keys(table, column.name)) or not keys_only
        ]
        drawn.links += _links(table)
    for link in drawn.links:
        drawn.entities.setdefault(link.parent, [])
    return drawn


def _keys(table: Relation, column: str) -> str:
    kinds = (("PK", "p"), ("FK", "f"), ("UK", "u"))
    return ", ".join(word for word, kind in kinds if any(column in key.columns for key in table.keys(kind)))


def _links(table: Relation) -> Iterator[Link]:
    filled = {column.name for column in table.columns if column.filled}
    alone = {key.columns for key in (*table.keys("p"), *table.keys("u"))}
    for key in table.keys("f"):
        assert key.target is not None
        yield Link(
            key.target, table.name, ", ".join(key.columns), not filled.issuperset(key.columns), key.columns in alone
        )


def mermaid(diagram: Diagram) -> str:
    """As a Mermaid `erDiagram`."""
    lines = ["erDiagram"]
    for name, attributes in diagram.entities.items():
        rows = [f"        {kind} {column}{f' {keys}' if keys else ''}" for kind, column, keys in attributes]
        lines += [f"    {name} {{", *rows, "    }"] if rows else [f"    {name}"]
    for link in diagram.links:
        ends = f"{'|o' if link.optional else '||'}--{'o|' if link.single else 'o{'}"
        lines.append(f'    {link.parent} {ends} {link.child} : "{link.columns}"')
    return "\n".join(lines)


def parsed(text: str) -> Diagram:
    """Read what `mermaid` writes.

    Raises:
        DiagramError: a line is none of it, or a link leads to nothing.
    """
    diagram, inside = Diagram(), None
    head, *lines = text.strip().splitlines()
    if head.strip() != "erDiagram":
        raise DiagramError(f"'{head}': only an erDiagram can be drawn; make it a picture in docs/images instead")
    for line in lines:
        if inside is not None:
            inside = _attribute(line, inside)
        elif found := NAME.match(line):
            attributes = diagram.entities.setdefault(found[1], [])
            inside = attributes if found[2] else None
        elif found := LINK.match(line):
            optional, single = found[2] == "|o", found[3] == "o|"
            diagram.links.append(Link(found[1], found[4], found[5], optional, single))
        else:
            raise DiagramError(f"'{line}': neither an entity nor a link")
    for link in diagram.links:
        if not {link.parent, link.child} <= diagram.entities.keys():
            raise DiagramError(f"'{link.parent}' to '{link.child}': one of them is no entity of the diagram")
    return diagram


def _attribute(line: str, inside: list[tuple[str, str, str]]) -> list[tuple[str, str, str]] | None:
    if line.strip() == "}":
        return None
    found = ATTRIBUTE.match(line)
    if found is None:
        raise DiagramError(f"'{line}': no attribute")
    kind, name, *keys = line.replace(",", "").split()
    inside.append((kind, name, ", ".join(keys)))
    return inside


@dataclass(frozen=True, slots=True)
class Box:
    """Where an entity stands: its upper left corner and its size, in pixels."""

    x: int
    y: int
    width: int
    height: int


def svg(diagram: Diagram) -> str:
    """Draw it: parents left of their children, every box below the one before; the same text gives the same picture."""
    boxes = _placed(diagram)
    width = max(box.x + box.width for box in boxes.values()) + PAD
    height = max(box.y + box.height for box in boxes.values()) + PAD
    links = [line for number, link in enumerate(diagram.links) for line in _line(link, boxes, number)]
    shapes = [line for name, box in boxes.items() for line in _shape(name, diagram.entities[name], box)]
    head = f'<svg class="entities" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    title = f"<title>{escape(', '.join(diagram.entities))}</title>"
    return "\n".join([f'{head} xmlns="http://www.w3.org/2000/svg">', title, *links, *shapes, "</svg>"])


def _placed(diagram: Diagram) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    x = PAD
    for _, names in sorted(_layers(diagram).items()):
        y, width = PAD, WIDTH if any(diagram.entities[name] for name in names) else NARROW
        for name in sorted(names, key=lambda name: (_height_of_parents(name, diagram.links, boxes), name)):
            height = ROW * (len(diagram.entities[name]) + 1) + 8
            boxes[name] = Box(x, y, width, height)
            y += height + GAP_Y
        x += width + GAP_X
    return boxes


def _layers(diagram: Diagram) -> dict[int, list[str]]:
    depth = dict.fromkeys(diagram.entities, 0)
    for _ in diagram.entities:  # the longest way has one step less than there are entities
        for link in diagram.links:
            if link.parent != link.child:
                depth[link.child] = max(depth[link.child], depth[link.parent] + 1)
    layers: dict[int, list[str]] = {}
    for name, layer in depth.items():
        layers.setdefault(layer, []).append(name)
    return layers


def _height_of_parents(name: str, links: Iterable[Link], boxes: Mapping[str, Box]) -> float:
    found = [boxes[link.parent].y for link in links if link.child == name and link.parent in boxes]
    return sum(found) / len(found) if found else 0.0


def _line(link: Link, boxes: Mapping[str, Box], number: int) -> Iterator[str]:
    parent, child = boxes[link.parent], boxes[link.child]
    from_x, to_x = parent.x + parent.width, child.x
    spread = 5 * (number % 3)  # lines of several children do not lie on each other
    from_y, to_y = parent.y + ROW // 2 + 4 + spread, child.y + ROW // 2 + 4 + spread
    bend = (to_x - from_x) / 2
    path = f"M{from_x} {from_y} C{from_x + bend:g} {from_y} {to_x - bend:g} {to_y} {to_x} {to_y}"
    title = escape(f"{link.child} ({link.columns}) to {link.parent}")
    yield f'<g class="link"><title>{title}</title><path d="{path}"/>'
    yield f'<path d="M{from_x + 6} {from_y - 5} v10"/>'
    if link.optional:
        yield f'<circle cx="{from_x + 12}" cy="{from_y}" r="4"/>'
    if link.single:
        yield f'<circle cx="{to_x - 12}" cy="{to_y}" r="4"/>'
    else:
        yield f'<path d="M{to_x - 9} {to_y} L{to_x} {to_y - 5} M{to_x - 9} {to_y} L{to_x} {to_y + 5}"/>'
    yield "</g>"


def _shape(name: str, attributes: Sequence[tuple[str, str, str]], box: Box) -> Iterator[str]:
    yield f'<rect class="box" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="4"/>'
    yield f'<text class="name" x="{box.x + 8}" y="{box.y + ROW}">{escape(name)}</text>'
    for row, (kind, column, keys) in enumerate(attributes, start=2):
        y = box.y + ROW * row
        weight = ' class="key"' if keys else ""
        yield f'<text{weight} x="{box.x + 8}" y="{y}">{escape(column)}</text>'
        beside = f"{kind} {keys}".strip()
        yield f'<text class="type" x="{box.x + box.width - 8}" y="{y}">{escape(beside)}</text>'
