"""Entity diagrams: what is written is read again, and drawn where nothing lies on anything else."""

import re

import pytest

from handbook.diagrams import Diagram, DiagramError, Link, diagram_of, mermaid, parsed, svg
from handbook.schema import Column, Constraint, Relation, Schema

PARENT = Relation(
    "section",
    (Column("id", "text", filled=True, standard=""), Column("name", "text", filled=True, standard="")),
    (Constraint("section_pkey", "p", ("id",), "PRIMARY KEY (id)", None),),
)
CHILD = Relation(
    "chamber",
    (Column("key", "int", filled=True, standard=""), Column("section", "text", filled=False, standard="")),
    (
        Constraint("chamber_pkey", "p", ("key",), "PRIMARY KEY (key)", None),
        Constraint("chamber_fkey", "f", ("section",), "FOREIGN KEY (section) REFERENCES section(id)", "section"),
    ),
)
SCHEMA = Schema({"section": PARENT, "chamber": CHILD}, {})
TEXT = """erDiagram
    section {
        text id PK
        text name
    }
    chamber {
        int key PK
        text section FK
    }
    section |o--o{ chamber : "section\""""


def test_a_diagram_is_written_for_mermaid_and_read_again() -> None:
    drawn = diagram_of(SCHEMA, ["section", "chamber"])
    assert mermaid(drawn) == TEXT
    assert parsed(TEXT) == drawn


def test_a_table_that_is_only_referred_to_has_no_columns_and_keys_alone_can_be_asked_for() -> None:
    assert diagram_of(SCHEMA, ["chamber"]).entities["section"] == []
    assert diagram_of(SCHEMA, ["section"], keys_only=True).entities == {"section": [("text", "id", "PK")]}


def test_boxes_stand_apart_and_children_right_of_their_parents() -> None:
    links = [Link("a", "b", "x"), Link("a", "c", "x"), Link("b", "d", "x"), Link("a", "d", "x")]
    rows = [("text", "x", "")]
    picture = svg(Diagram({name: list(rows) for name in "abcd"}, links))
    boxes = [
        tuple(map(int, found)) for found in re.findall(r'x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', picture)
    ]
    assert len(boxes) == 4
    left = dict(zip(re.findall(r'class="name" x="(?:\d+)" y="(?:\d+)">(\w)<', picture), boxes, strict=True))
    assert left["a"][0] < left["b"][0] == left["c"][0] < left["d"][0]
    for one in boxes:
        for other in boxes:
            apart = one[0] + one[2] <= other[0] or one[1] + one[3] <= other[1]
            assert one is other or apart or other[0] + other[2] <= one[0] or other[1] + other[3] <= one[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flowchart LR\n  a --> b", "only an erDiagram can be drawn"),
        ("erDiagram\n    a -> b", "neither an entity nor a link"),
        ("erDiagram\n    a {\n        text\n    }", "no attribute"),
        ('erDiagram\n    a\n    a ||--o{ b : "x"', "is no entity"),
    ],
)
def test_what_cannot_be_drawn_is_refused(text: str, said: str) -> None:
    with pytest.raises(DiagramError, match=said):
        parsed(text)
