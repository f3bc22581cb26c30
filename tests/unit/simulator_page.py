"""The tables of docs/simulator.md, made from the simulator itself."""

from simulator.dialects import DIALECTS, Dialect, Framing, Login
from simulator.faults import KINDS, Kind

HTTP = {Framing.LENGTH: "", Framing.HTTP10: "HTTP/1.0", Framing.UNTIL_CLOSE: "ends with the connection"}
LOCKS = {
    Login.NONE: "",
    Login.BASIC: "Basic",
    Login.DIGEST: "Digest with SHA-256",
    Login.QUERY: "user and password in the query",
    Login.BEARER: "a token (Bearer)",
}


def dialect_rows() -> str:
    """One row a dialect."""
    head = "| dialect | request | answers | its password | clock |\n|---|---|---|---|---|\n"
    return head + "".join(f"{_dialect(dialect)}\n" for dialect in DIALECTS.values())


def fault_rows() -> str:
    """One row a kind of fault."""
    head = "| kind | the device | fields |\n|---|---|---|\n"
    return head + "".join(f"{_kind(name, kind)}\n" for name, kind in KINDS.items())


def _dialect(dialect: Dialect) -> str:
    sockets = f"{dialect.sockets} connection{'s' if dialect.sockets != 1 else ''}" if dialect.sockets else ""
    charset = "" if dialect.charset == "utf-8" else "Latin-1"
    answers = ", ".join(word for word in (dialect.shape.value, charset, HTTP[dialect.framing], sockets) if word)
    request = f"`GET {dialect.path.partition('?')[0]}`" + (" with parameters" if "?" in dialect.path else "")
    return f"| `{dialect.name}` | {request} | {answers} | {LOCKS[dialect.login]} | {dialect.zone} |"


def _kind(name: str, kind: Kind[object]) -> str:
    fields = [f"`{field}` ({_shown(default)})" for field, default in kind.defaults.items()]
    fields += [f"`form`: {', '.join(f'`{form}`' for form in kind.forms)}"] if kind.forms else []
    shapes = f" ({', '.join(kind.shapes)} only)" if kind.shapes else ""
    return f"| `{name}` | {kind.about}{shapes} | {', '.join(fields)} |"


def _shown(default: float | str) -> str:
    return default if isinstance(default, str) else f"{default:g}"
