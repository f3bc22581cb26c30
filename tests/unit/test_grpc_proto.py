"""The proto is what the code was made from, keeps one style, and has exactly the methods of the access table."""

import subprocess
import sys
from pathlib import Path

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor, FileDescriptor

from api.grpc.generated.chamberlog.v1 import (
    batches_pb2,
    chambers_pb2,
    detectors_pb2,
    ledger_pb2,
    organizations_pb2,
    readings_pb2,
    sections_pb2,
    users_pb2,
)
from api.grpc.serving import SERVICES
from collector.domain.access_table import PACKAGE, of_grpc, operations
from collector.domain.health import Status
from collector.domain.outcome import GapReason, Quality
from collector.domain.roles import Role
from collector.domain.section_order import OperationState, OrderKind

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "api/grpc/generated"
FILES: list[FileDescriptor] = [
    module.DESCRIPTOR
    for module in (
        batches_pb2,
        chambers_pb2,
        detectors_pb2,
        ledger_pb2,
        organizations_pb2,
        readings_pb2,
        sections_pb2,
        users_pb2,
    )
]


def test_the_generated_code_is_current(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "proto/generate.py"), str(tmp_path)], check=True, timeout=50)
    made = {path.relative_to(tmp_path): path.read_text("utf-8") for path in tmp_path.rglob("*.py*")}
    kept = {
        path.relative_to(HOME): path.read_text("utf-8") for path in HOME.rglob("*_pb2.py*") if path.suffix != ".pyc"
    }
    assert made.keys() == kept.keys(), "run `make proto`"
    assert made == kept, "run `make proto`"
    assert {f"chamberlog/v1/{path.stem}_pb2.py" for path in (ROOT / "proto").rglob("*.proto")} <= set(map(str, made))


def test_every_method_stands_in_the_access_table_and_the_other_way_round() -> None:
    methods = {f"/{method.containing_service.full_name}/{method.name}" for method in methods_of_files()}
    assert methods == {row.grpc for row in operations() if row.grpc and row.grpc.startswith(f"/{PACKAGE}.")}


def test_every_method_of_a_service_is_answered_and_no_other() -> None:
    for service, methods in SERVICES:
        assert list(service.methods_by_name) == list(methods)


def test_what_answers_without_an_end_is_counted_as_a_stream() -> None:
    for method in methods_of_files():
        row = of_grpc(f"/{method.containing_service.full_name}/{method.name}")
        assert row is not None
        assert (row.traffic.value == "stream") == method.server_streaming
        assert not method.client_streaming


def test_each_method_has_a_request_and_a_response_of_its_own() -> None:
    for method in methods_of_files():
        assert (method.input_type.name, method.output_type.name) == (f"{method.name}Request", f"{method.name}Response")


def test_enums_begin_with_unspecified_and_have_their_prefix() -> None:
    enums = [enum for file in FILES for enum in file.enum_types_by_name.values()]
    assert enums
    for enum in enums:
        prefix = "".join(f"_{c}" if c.isupper() else c.upper() for c in enum.name).lstrip("_")
        assert enum.values_by_number[0].name == f"{prefix}_UNSPECIFIED"
        assert all(name.startswith(f"{prefix}_") for name in enum.values_by_name)


def test_fields_and_files_are_named_in_one_style() -> None:
    for file in FILES:
        assert (file.package, file.name.rpartition("/")[0]) == (PACKAGE, "chamberlog/v1")
        for message in file.message_types_by_name.values():
            for field in message.fields:
                assert field.name == field.name.lower()
                assert is_plural(field.name) if is_list(field) else True, field.full_name


def test_the_closed_lists_have_all_our_words() -> None:
    for words, enum in (
        (Status, chambers_pb2.ChamberStatus.DESCRIPTOR),
        (GapReason, ledger_pb2.GapReason.DESCRIPTOR),
        (Quality, ledger_pb2.Quality.DESCRIPTOR),
        (OrderKind, sections_pb2.OperationKind.DESCRIPTOR),
        (OperationState, sections_pb2.OperationState.DESCRIPTOR),
        (Role, users_pb2.Role.DESCRIPTOR),
    ):
        assert words_of(enum) == {word.value.replace("-", "_") for word in words}


def methods_of_files() -> list:  # type: ignore[type-arg]  # of descriptors, which have no types at run time
    return [m for file in FILES for service in file.services_by_name.values() for m in service.methods]


def words_of(enum: EnumDescriptor) -> set[str]:
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {value.name.removeprefix(prefix).lower() for value in enum.values if value.number}


def is_list(field: FieldDescriptor) -> bool:
    entry = field.message_type is not None and field.message_type.GetOptions().map_entry
    return field.is_repeated and not entry


def is_plural(name: str) -> bool:
    return name.endswith("s") or name in ("latest", "unreached")
