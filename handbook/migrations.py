"""What the migrations say of a column: the remark behind its line. The catalog has no room for it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

OPENS = re.compile(r"^(?:CREATE TABLE(?: IF NOT EXISTS)?|ALTER TABLE) (\w+)")
REMARK = re.compile(r'^\s*(?:(?:ALTER TABLE \w+\s+)?ADD COLUMN (?:IF NOT EXISTS )?)?"?(\w+)"?\s+[^-]*?\S.*?-- *(.+)$')
ALONE = re.compile(r"^ALTER TABLE (\w+)\s+ADD COLUMN (?:IF NOT EXISTS )?(\w+) [^,]*;$")
"""A statement that adds one column: what stands above it is said of that."""


def remarks(folder: Path) -> Mapping[tuple[str, str], str]:
    """By table and column; of a column that two files speak of, what the later one says.

    Args:
        folder: of the numbered files.
    """
    return {key: text for path in sorted(folder.glob("*.sql")) for key, text in _of(path.read_text("utf-8"))}


def _of(sql: str) -> Iterator[tuple[tuple[str, str], str]]:
    table, above = "", []
    for line in sql.splitlines():
        if line.startswith("--"):
            above.append(line.removeprefix("--").strip())
            continue
        opened, remark, alone = OPENS.match(line), REMARK.match(line), ALONE.match(line)
        table = opened[1] if opened else table
        if table and remark:
            yield (table, remark[1]), remark[2]
        elif alone and above:
            yield (alone[1], alone[2]), " ".join(above)
        if line.split("--")[0].rstrip().endswith(";"):
            table = ""
        above = []
