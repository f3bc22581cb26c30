"""The pages that are made from the product, as they should be: written by make, compared by the tests."""

from collections.abc import Mapping
from pathlib import Path

from handbook.bootstrap import migrated_database, openapi_document
from handbook.grpc_reference import descriptors, grpc_reference
from handbook.migrations import remarks
from handbook.rest_reference import rest_reference
from handbook.schema import read_schema
from handbook.schema_page import core_picture, replaced, schema_page

SCHEMA, ARCHITECTURE = "docs/schema.md", "ARCHITECTURE.md"
REST, GRPC = "docs/rest-reference.md", "docs/grpc-reference.md"


async def schema_pages(root: Path, address: str | None = None) -> Mapping[str, str]:
    """Text by path: the page of the schema, and ARCHITECTURE.md with the picture of its core.

    Args:
        root: of the tree.
        address: DSN of a migrated database; without it one is made, and gone afterwards.
    """
    if address is None:
        async with migrated_database() as fresh:
            return await schema_pages(root, fresh)
    schema = await read_schema(address)
    architecture = (root / ARCHITECTURE).read_text("utf-8")
    return {
        SCHEMA: schema_page(schema, remarks(root / "adapters/postgres/migrations")),
        ARCHITECTURE: replaced(architecture, core_picture(schema)),
    }


async def reference_pages(root: Path) -> Mapping[str, str]:
    """Text by path: the references of REST and of gRPC."""
    return {
        REST: rest_reference(await openapi_document()),
        GRPC: grpc_reference(descriptors(root / "proto")),
    }
