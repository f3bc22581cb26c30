"""What the migrations say of a column: the remark behind its line. The catalog has no room for it."""

import re
from collections.abc import Mapping
from pathlib import Path

OPENS = re.compile(r"^(?:CREATE TABLE(?: IF NOT EXISTS)?|ALTER TABLE) (\w+)")
REMARK = re.compile(r'^\s*(?:(?:ALTER TABLE \w+\s+)?ADD COLUMN (?:IF NOT EXISTS )?)?"?(\w+)"?\s+[^-]*?\S.*?-- *(.+)$')


def remarks(folder: Path) -> Mapping[tuple[str, str], str]:
    """By table and column; of a column that two files speak of, what the later one says.

    Args:
        folder: of the numbered files.
    """
    found: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob("*.sql")):
        table = ""
        for line in path.read_text("utf-8").splitlines():
            opened = OPENS.match(line)
            table = opened[1] if opened else table
            remark = REMARK.match(line) if table else None
            if remark:
                found[table, remark[1]] = remark[2]
            if line.rstrip().split("--")[0].rstrip().endswith(";"):
                table = ""
    return found
