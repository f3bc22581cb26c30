"""The schemas that pin what commands print by --json."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

FOLDER = Path(__file__).resolve().parents[2] / "cli/schemas"
SCHEMAS: Mapping[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))
}


def check(words: str, document: Any) -> None:
    """Hold what a command printed against its schema; `words` stand in the schema's `x-commands`.

    Raises:
        jsonschema_rs.ValidationError: it has another shape.
    """
    _validator(next(name for name, schema in SCHEMAS.items() if words in schema["x-commands"])).validate(document)


@cache
def _validator(name: str) -> Any:
    registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in SCHEMAS.values()])
    return jsonschema_rs.Draft202012Validator(SCHEMAS[name], registry=registry)
