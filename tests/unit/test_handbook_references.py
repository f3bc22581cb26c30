"""The references of REST and gRPC say what the API and the proto say now."""

from pathlib import Path

import pytest

from handbook.grpc_reference import descriptors, grpc_reference
from handbook.made import GRPC, REST
from handbook.rest_reference import rest_reference
from tests.unit.api_world import World

ROOT = Path(__file__).parents[2]
STALE = "is stale: make reference"
PROTO = """// What is counted.
syntax = "proto3";
package chamberlog.v1;
service Doors {
  // Opens one.
  rpc OpenDoor(OpenDoorRequest) returns (stream Opened);
}
message OpenDoorRequest {
  // Which of them.
  optional string door = 1;
  oneof when {
    int64 at = 2;
    string after = 3;
  }
  map<string, int32> counts = 4;
}
message Opened {}
enum Side { SIDE_UNSPECIFIED = 0; SIDE_LEFT = 1; }
"""


def test_the_rest_reference_is_fresh() -> None:
    assert (ROOT / REST).read_text("utf-8") == rest_reference(World().app.openapi()), f"{REST} {STALE}"


def test_the_grpc_reference_is_fresh() -> None:
    assert (ROOT / GRPC).read_text("utf-8") == grpc_reference(descriptors(ROOT / "proto")), f"{GRPC} {STALE}"


def test_every_operation_and_document_has_its_place() -> None:
    document, page = World().app.openapi(), (ROOT / REST).read_text("utf-8")
    operations = [f"`{method.upper()} {path}`\n" for path, methods in document["paths"].items() for method in methods]
    assert [operation for operation in operations if page.count(operation) != 1] == []
    named = [name for name in document["components"]["schemas"] if not name.startswith("Listed_")]
    assert [name for name in named if f"### {name}\n" not in page] == []


@pytest.mark.parametrize(
    "line",
    [
        "| `OpenDoor` | [OpenDoorRequest](#opendoorrequest), a stream of [Opened](#opened) | none | Opens one. |",
        "| `door` | 1 | optional `string` | Which of them. |",
        "| `at` | 2 | `int64` | one of `when` |",
        "| `counts` | 4 | map of `string` to `int32` |  |",
        "`SIDE_UNSPECIFIED` = 0, `SIDE_LEFT` = 1",
        "No fields.",
    ],
)
def test_the_proto_is_told_with_its_remarks(line: str, tmp_path: Path) -> None:
    (tmp_path / "chamberlog/v1").mkdir(parents=True)
    (tmp_path / "chamberlog/v1/doors.proto").write_text(PROTO)
    assert line in grpc_reference(descriptors(tmp_path)).splitlines()
