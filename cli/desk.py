"""Addresses of pages in the Temporal Web UI."""

import os
from urllib.parse import quote

from collector import wire


def page_address(web_ui: str, chamber_id: str) -> str:
    """Of a chamber's page, in the namespace of TEMPORAL_NAMESPACE.

    Args:
        web_ui: base URL of the Web UI, without a trailing slash.
        chamber_id: of the chamber.
    """
    namespace = quote(os.environ.get("TEMPORAL_NAMESPACE") or "default", safe="")
    return f"{web_ui}/namespaces/{namespace}/workflows/{quote(wire.workflow_id(chamber_id), safe='')}"
