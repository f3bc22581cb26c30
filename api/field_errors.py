"""What is wrong with which field, and what to write instead."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

READ_ONLY = frozenset(
    {
        "organization",
        "version",
        "profile_version",
        "status",
        "next_slot",
        "last_reading",
        "paused",
        "chambers",
        "created_at",
        "created_by",
        "last_used_at",
        "revoked_at",
        "updated_at",
    }
)
"""Fields that the API answers and never takes."""
SHOWN = 12
"""Errors of one request that are named; a body of garbage would otherwise be answered by a longer one."""
REMEDIES = {
    "missing": "give it",
    "json_invalid": "send one JSON document in UTF-8",
    "extra_forbidden": "remove it, or check its spelling",
    "model_attributes_type": "send a JSON object with Content-Type: application/json",
    "dict_type": "give a JSON object of texts",
    "list_type": "give a JSON list",
    "string_type": "give a text in quotes",
    "string_unicode": "give valid Unicode",
    "float_type": "give a number without quotes",
    "finite_number": "give a finite number",
    "int_type": "give a whole number",
    "int_parsing": "give a whole number",
    "bool_type": "give true or false without quotes",
    "bool_parsing": "give true or false",
    "nul": "remove it",
    "surrogate": "remove it",
}
LIMITS = {
    "greater_than_equal": "give at least {ge}",
    "less_than_equal": "give at most {le}",
    "string_too_long": "shorten it to {max_length} characters",
    "too_long": "give at most {max_length}",
    "string_pattern_mismatch": "match {pattern}",
    "enum": "give one of {expected}",
}
"""Remedies that need the numbers of the error."""


class FieldError(BaseModel):
    """One wrong input.

    Attributes:
        field: its name as the caller writes it.
        problem: what is wrong with it.
        remedy: what to write instead.
    """

    field: str
    problem: str
    remedy: str


def of_validation(errors: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """Turn the validation errors of FastAPI into ours, at most `SHOWN`."""
    return [_field_error(error) for error in errors[:SHOWN]]


def _field_error(error: Mapping[str, Any]) -> FieldError:
    kind, place = error["type"], list(error["loc"])
    inner = place[:1] if kind == "json_invalid" else place[1:] or place
    field = ".".join(str(part) for part in inner)
    remedy = (
        LIMITS[kind].format(**error["ctx"]) if kind in LIMITS else REMEDIES.get(kind, "see /docs for what it takes")
    )
    if kind == "extra_forbidden" and field in READ_ONLY:
        remedy = "leave it out: the server decides it"
    return FieldError(field=readable(field), problem=_problem(error), remedy=remedy)


def _problem(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such field"
    if error["type"] == "json_invalid":
        return f"it is not JSON: {error['ctx']['error']} at character {error['loc'][-1]}"
    message: str = error["msg"]
    return message[0].lower() + message[1:]


def readable(text: str) -> str:
    """A field's name that a hostile request has chosen, so that it can be encoded and is not too long."""
    return text.encode(errors="replace").decode()[:200] or '""'
