"""docs/grpc-reference.md: every service, message and enumeration of the gRPC API, from protoc's descriptors."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import grpc_tools
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from grpc_tools import protoc

from collector.domain.access_table import of_grpc

PACKAGE = "chamberlog.v1"
HEAD = """# gRPC reference

Every method and message of the package `chamberlog.v1`, made by `make reference` from the files in
`proto/chamberlog/v1`; a test fails when it is stale. [grpc.md](grpc.md) is the page to begin with: rules, errors, and
examples that are run by a test. Beside each method stands the least role that it takes
([who may do what](api.md#who-may-do-what)).
"""
SERVICE, MESSAGE, ENUM, FIELD, METHOD, NESTED = 6, 4, 5, 2, 2, 3
"""Numbers of fields in descriptor.proto: a path of them finds the remark on a thing."""
Remarks = Mapping[tuple[int, ...], str]


class ProtoError(Exception):
    """protoc refuses the proto; its reasons stand on standard error."""


def descriptors(folder: Path) -> list[FileDescriptorProto]:
    """What protoc makes of the proto, remarks included, by file name.

    Args:
        folder: with `chamberlog/v1/*.proto`.

    Raises:
        ProtoError: it is none.
    """
    sources = sorted(str(path.relative_to(folder)) for path in folder.glob("chamberlog/v1/*.proto"))
    include = Path(grpc_tools.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "set"
        options = [f"-I{folder}", f"-I{include}", "--include_source_info", f"--descriptor_set_out={out}"]
        if protoc.main(["protoc", *options, *sources]):
            raise ProtoError(str(folder))
        return list(FileDescriptorSet.FromString(out.read_bytes()).file)


def grpc_reference(files: Sequence[FileDescriptorProto]) -> str:
    """The page's text."""
    parts = [HEAD]
    for file in files:
        for number, service in enumerate(file.service):
            parts += _service(service, number, _remarks(file))
    parts.append("## Messages\n")
    for file in files:
        remarks = _remarks(file)
        for number, message in enumerate(file.message_type):
            parts += _message(message, (MESSAGE, number), remarks, "")
        for number, enumeration in enumerate(file.enum_type):
            parts += [f"### {enumeration.name}\n", *_told(remarks, ENUM, number)]
            parts.append(", ".join(f"`{value.name}` = {value.number}" for value in enumeration.value) + "\n")
    return "\n".join(parts)


def _remarks(file: FileDescriptorProto) -> Remarks:
    return {tuple(place.path): " ".join(place.leading_comments.split()) for place in file.source_code_info.location}


def _service(service: ServiceDescriptorProto, number: int, remarks: Remarks) -> Iterator[str]:
    yield f"## {service.name}\n"
    yield from _told(remarks, SERVICE, number)
    yield "| method | takes, gives | role | |\n|---|---|---|---|"
    for place, method in enumerate(service.method):
        row = of_grpc(f"/{PACKAGE}.{service.name}/{method.name}")
        role = f"`{row.role.value}`" if row and row.role else "none"
        gives = f"{_stream(streams=method.server_streaming)}{_type_name(method.output_type)}"
        text = _cell(remarks.get((SERVICE, number, METHOD, place), ""))
        yield f"| `{method.name}` | {_type_name(method.input_type)}, {gives} | {role} | {text} |"
    yield ""


def _message(message: DescriptorProto, path: tuple[int, ...], remarks: Remarks, inside: str) -> Iterator[str]:
    if message.options.map_entry:
        return
    name = f"{inside}{message.name}"
    yield f"### {name}\n"
    yield from _told(remarks, *path)
    if not message.field:
        yield "No fields.\n"
    else:
        maps = {
            f".{PACKAGE}.{name}.{nested.name}": nested for nested in message.nested_type if nested.options.map_entry
        }
        rows = []
        for number, field in enumerate(message.field):
            about = _about(message, field, remarks.get((*path, FIELD, number), ""))
            rows.append(f"| `{field.name}` | {field.number} | {_field_type(field, maps)} | {_cell(about)} |")
        yield "\n".join(["| field | number | type | |", "|---|---:|---|---|", *rows]) + "\n"
    for number, nested in enumerate(message.nested_type):
        yield from _message(nested, (*path, NESTED, number), remarks, f"{name}.")


def _about(message: DescriptorProto, field: FieldDescriptorProto, remark: str) -> str:
    one_of = field.HasField("oneof_index") and not field.proto3_optional
    either = f"one of `{message.oneof_decl[field.oneof_index].name}`" if one_of else ""
    return "; ".join(part for part in (remark, either) if part)


def _field_type(field: FieldDescriptorProto, maps: Mapping[str, DescriptorProto]) -> str:
    if field.type_name in maps:
        key, value = maps[field.type_name].field
        return f"map of {_field_type(key, {})} to {_field_type(value, {})}"
    if field.type_name:
        plain = _type_name(field.type_name)
    else:
        plain = f"`{FieldDescriptorProto.Type.Name(field.type).removeprefix('TYPE_').lower()}`"
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"list of {plain}"
    return f"optional {plain}" if field.proto3_optional else plain


def _type_name(full: str) -> str:
    ours = full.removeprefix(f".{PACKAGE}.")
    if ours == full:
        return f"`{full.removeprefix('.')}`"
    return f"[{ours}](#{ours.lower().replace('.', '')})"


def _told(remarks: Remarks, *path: int) -> Iterator[str]:
    text = remarks.get(path, "")
    if text:
        yield f"{text}\n"


def _stream(*, streams: bool) -> str:
    return "a stream of " if streams else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
