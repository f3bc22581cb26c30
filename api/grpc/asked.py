"""From messages to the inputs of the REST API, so that limits and remedies are the same text."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, Field, ValidationError

from api.field_errors import FieldError, of_validation, readable
from api.inputs import Query, ShortText
from api.problems import ProblemError
from collector.domain.errors import InvalidFieldError
from collector.domain.instants import iso
from collector.domain.section_order import OPERATION_PATTERN

MOST_NANOS = 999_999_999
WIRE_NAMES = {"from_time": "from", "to_time": "to"}
"""`from` is a word of Python's, and so no good name of a field."""

HYPHENATED = frozenset({"Role"})
"""Closed lists whose words have hyphens: `super-administrator`."""

M = TypeVar("M", bound=BaseModel)


class Versioned(Protocol):
    """A request for a change that has to say what was read."""

    version: int
    any_version: bool

    def WhichOneof(self, oneof_group: str) -> str | None:  # noqa: N802  # protobuf's name
        """The field of the group that is set."""
        ...


class RequestId(Query):
    """What makes a request the same again."""

    request_id: ShortText | None = Field(None, pattern=f"^{OPERATION_PATTERN.pattern}$")


def given(message: Message) -> dict[str, Any]:
    """The fields that are set, as JSON has them: instants as RFC 3339, durations as seconds named `_s`, enums as words.

    Raises:
        InvalidFieldError: an instant or a duration is none.
    """
    return {rest_name(field): _plain(field, value) for field, value in message.ListFields()}


def rest_name(field: FieldDescriptor) -> str:
    """How the REST API calls it."""
    kind = field.message_type
    if kind is not None and kind.full_name == Duration.DESCRIPTOR.full_name:
        return f"{field.name}_s"
    return WIRE_NAMES.get(field.name, field.name)


def checked(model: type[M], message: Message, *without: str) -> M:
    """The input that a message is, but for some fields that are none of it.

    Raises:
        ProblemError: 422, naming each field.
        InvalidFieldError: an instant or a duration is none.
    """
    document = given(message)
    return validated(model, {name: value for name, value in document.items() if name not in without})


def validated(model: type[M], document: Mapping[str, Any]) -> M:
    """The input.

    Raises:
        ProblemError: 422, naming each field.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        errors = [{**found, "loc": ("body", *found["loc"])} for found in error.errors(include_url=False)]
    fields = of_validation(errors)
    raise ProblemError(422, "; ".join(f"{f.field}: {f.problem}" for f in fields), fields)


def changes(model: type[M], settings: Message, mask: FieldMask) -> M:
    """What is to be changed: the fields that the mask names; one of them that is not set is cleared.

    Raises:
        ProblemError: 422, naming each field.
        InvalidFieldError: field `update_mask`, or an instant or a duration is none.
    """
    known: Mapping[str, Any] = settings.DESCRIPTOR.fields_by_name
    if not mask.paths:
        raise InvalidFieldError("update_mask", "it names no field", f"name those to change, of {', '.join(known)}")
    unknown = next((path for path in mask.paths if path not in known), None)
    if unknown is not None:
        problem = f"there is no field {readable(unknown)[:80]!r}"
        raise InvalidFieldError("update_mask", problem, f"name some of {', '.join(known)}")
    present, wanted = given(settings), [known[path] for path in mask.paths]
    names = [rest_name(field) for field in wanted]
    left = next((name for name in present if name not in names), None)
    if left is not None:
        raise InvalidFieldError(left, "it is set and not in update_mask", "name it there, or do not set it")
    document = {rest_name(f): present.get(rest_name(f), {} if _is_map(f) else None) for f in wanted}
    _check_cleared(model, document)
    return validated(model, document)


def versions_of(request: Versioned) -> frozenset[int] | None:
    """What the caller read; None = whatever stands.

    Raises:
        InvalidFieldError: field `version`: it says neither.
    """
    if request.any_version:
        return None
    if request.WhichOneof("expected") != "version":
        remedy = "read it and send its version back, or any_version: true"
        raise InvalidFieldError("version", "it is missing", remedy)
    return frozenset({request.version})


def request_id_of(text: str) -> str | None:
    """The request's id; None = the caller gave none.

    Raises:
        ProblemError: 422, field `request_id`.
    """
    return validated(RequestId, {"request_id": text} if text else {}).request_id


def _check_cleared(model: type[BaseModel], document: Mapping[str, Any]) -> None:
    """Of what cannot be cleared the model would say that it is no text, which it was not meant to be."""
    wrong = [name for name, value in document.items() if value is None and not _clearable(model, name)]
    remedy = "set it, or take it out of update_mask"
    fields = [FieldError(field=name, problem="it is in update_mask and not set", remedy=remedy) for name in wrong]
    if fields:
        raise ProblemError(422, "; ".join(f"{f.field}: {f.problem}" for f in fields), fields)


def _clearable(model: type[BaseModel], name: str) -> bool:
    return model.model_fields[name].default is None


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Timestamp):
        return _moment(field.name, value)
    if isinstance(value, Duration):
        return _seconds(field.name, value)
    if field.enum_type is not None:
        return word_of(field.enum_type, value)
    return dict(value) if _is_map(field) else value


def word_of(kind: EnumDescriptor, number: int) -> str:
    """`paused` for `CHAMBER_STATUS_PAUSED`; a number that is none stays a number, which nothing is called."""
    found = kind.values_by_number.get(number)
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    word = str(number) if found is None else found.name.removeprefix(prefix).lower()
    return word.replace("_", "-") if kind.name in HYPHENATED else word


def _moment(name: str, value: Timestamp) -> str:
    if not 0 <= value.nanos <= MOST_NANOS:
        raise InvalidFieldError(name, "its nanos are out of range", f"give 0 to {MOST_NANOS}")
    return iso(value.seconds * 1000 + round(value.nanos / 1e6))


def _seconds(name: str, value: Duration) -> float:
    if abs(value.nanos) > MOST_NANOS or value.seconds * value.nanos < 0:
        raise InvalidFieldError(name, "its nanos are out of range", f"give 0 to {MOST_NANOS}, of the sign of seconds")
    return value.seconds + value.nanos / 1e9
