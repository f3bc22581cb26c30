"""Where Temporal is and with which papers one comes to it: the settings of its SDKs, and which one is to blame."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode, TLSConfig

from adapters.tls_alerts import alert_of, speaks_tls
from collector.domain.errors import InvalidFieldError

DEFAULT_ADDRESS = "localhost:7233"
ADDRESS, NAMESPACE = "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"
CONFIG_FILE, PROFILE = "TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE"
TLS, API_KEY = "TEMPORAL_TLS", "TEMPORAL_API_KEY"
AUTHORITY, SERVER_NAME = "TEMPORAL_TLS_SERVER_CA_CERT_PATH", "TEMPORAL_TLS_SERVER_NAME"
CERTIFICATE, KEY = "TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH"
NO_VERIFICATION = "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION"
HOST_AND_PORT = re.compile(r"(?P<host>[^\s/]+):(?P<port>\d{1,5})")
PEM_CERTIFICATE, PEM_KEY = b"-----BEGIN CERTIFICATE-----", b"PRIVATE KEY-----"
REFUSALS = (RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED)
REFUSED = re.compile(r"code: (?:Unauthenticated|PermissionDenied)")
ALERT = re.compile(r"received fatal alert: (\w+)")
FAULTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "InvalidCertificate(UnknownIssuer",
        AUTHORITY,
        "the server's certificate is signed by an authority that is not known here",
        "name the file of that authority's certificate (PEM)",
    ),
    (
        "InvalidCertificate(NotValidForName",
        SERVER_NAME,
        "the server's certificate is for another name than its address",
        f"write the name that the certificate has, or correct {ADDRESS}",
    ),
    (
        "InvalidMessage(InvalidContentType)",
        TLS,
        "it is on (an API key or a certificate turns it on, too), and what listens there does not speak TLS",
        f"set it to false, or correct {ADDRESS}",
    ),
    (
        "FRAME_SIZE_ERROR",
        TLS,
        "it is off, and what listens there does not speak gRPC without TLS",
        f"set it to true, or correct {ADDRESS}",
    ),
    ("KeyMismatch", KEY, f"the key does not belong to the certificate of {CERTIFICATE}", "name the pair of files"),
    ("PrivateKeyParseError", KEY, "it is no private key", "name a file with an unencrypted PEM key"),
    ("CertificateParseError", CERTIFICATE, "it is no certificate", "name a file with a PEM certificate"),
)
"""What the SDK's error contains, and the setting, problem and remedy that it means. Everything else may pass."""


def connect_config() -> ClientConnectConfig:
    """Address, namespace, TLS and API key, from the environment and the TOML file of `temporalio.envconfig`.

    Raises:
        InvalidFieldError: names the variable; never quotes a key.
    """
    _check_environment(os.environ)
    try:
        config = ClientConfig.load_client_connect_config()
    except OSError as error:
        raise _of_file(error, os.environ) from None
    except RuntimeError as error:  # the SDK's own ConfigError is private
        raise _of_config(str(error)) from None
    config.setdefault("target_host", DEFAULT_ADDRESS)
    _check_address(config["target_host"])
    if isinstance(tls := config.get("tls"), TLSConfig):
        _check_papers(tls)
    return config


def blamed(error: Exception, config: ClientConnectConfig) -> InvalidFieldError | None:
    """The setting that is to blame for a connection that failed; None when trying again may help.

    A server that cannot be reached may be there tomorrow, and an expired certificate be renewed. A certificate that
    nobody here trusts, a key that is refused, a port that speaks another protocol stay what they are.
    """
    text, target = str(error), config["target_host"]
    for sign, field, problem, remedy in FAULTS:
        if sign in text:
            return InvalidFieldError(_given(field), f"{target}: {problem}", remedy)
    if alert := ALERT.search(text):
        return refused_papers(alert[1], config)
    refused = isinstance(error, RPCError) and error.status in REFUSALS
    return _refusal(config) if refused or REFUSED.search(text) else None


async def blamed_after_all(error: Exception, config: ClientConnectConfig) -> InvalidFieldError | None:
    """As `blamed`, of a server that took the connection and closed it.

    It is asked what it has against the papers; and without TLS, whether it wants TLS.
    """
    tls = config.get("tls")
    if "call error after connection" not in str(error):
        return None
    match = HOST_AND_PORT.fullmatch(config["target_host"])
    assert match is not None, "it was checked"
    host, port = match["host"].strip("[]"), int(match["port"])
    if not tls:
        return _wants_tls(config) if await speaks_tls(host, port) else None
    alert = await alert_of(host, port, tls if isinstance(tls, TLSConfig) else None)
    return refused_papers(alert, config) if alert else None


def _wants_tls(config: ClientConnectConfig) -> InvalidFieldError:
    problem = f"{config['target_host']}: it is off, and what listens there speaks TLS"
    return InvalidFieldError(TLS, problem, f"set it to true, or correct {ADDRESS}")


def refused_papers(alert: str, config: ClientConnectConfig) -> InvalidFieldError:
    """The server said so in its TLS alert."""
    given = isinstance(tls := config.get("tls"), TLSConfig) and tls.client_cert is not None
    whose = "this client's certificate" if given else "a client without a certificate"
    problem = f"{config['target_host']}: the server does not accept {whose} ({alert})"
    return InvalidFieldError(
        _given(CERTIFICATE),
        problem,
        f"name one (PEM) that is signed by an authority which the server trusts, and its key in {KEY}",
    )


def _refusal(config: ClientConnectConfig) -> InvalidFieldError:
    """The server was reached, and refuses whoever comes with this API key, or without one."""
    key = config.get("api_key")
    problem = "the server refuses it" if key else "the server asks for credentials, and it is not set"
    remedy = f"give a key that is valid for the namespace {config.get('namespace', 'default')!r}"
    return InvalidFieldError(API_KEY, f"{config['target_host']}: {problem}", remedy)


def explained(error: Exception) -> str:
    """What went wrong with a connection, in words for a log; the SDK's own words when there are no better ones."""
    text = str(error)
    if "InvalidCertificate(Expired" in text or "InvalidCertificate(NotValidYet" in text:
        return "the server's certificate is not valid now: renew it, or set the clock of this machine"
    return text.removeprefix("Failed client connect: ")[:500]


def _check_environment(environment: Mapping[str, str]) -> None:
    """What the SDK would pass over without a word."""
    if file := environment.get(CONFIG_FILE):
        try:
            Path(file).open().close()  # the SDK takes one that is not there for an empty one
        except OSError as error:
            raise _of_file(error, environment) from None
    if environment.get(NO_VERIFICATION, "").lower() in ("1", "true"):
        problem = "Temporal's SDK for Python always checks the server's certificate"
        raise InvalidFieldError(NO_VERIFICATION, problem, f"take it away, and set {AUTHORITY} or {SERVER_NAME}")
    key = environment.get(API_KEY, "")
    if any(not "!" <= character <= "~" for character in key):
        problem = "it has blanks, line ends or other characters that no header can carry"
        raise InvalidFieldError(API_KEY, problem, "give the key alone, without a line end")


def _of_file(error: OSError, environment: Mapping[str, str]) -> InvalidFieldError:
    path = str(error.filename)
    field = next((name for name in (AUTHORITY, CERTIFICATE, KEY) if environment.get(name) == path), CONFIG_FILE)
    return InvalidFieldError(
        field, f"{path} cannot be read: {error.strerror}", "name a file that this process may read"
    )


def _of_config(text: str) -> InvalidFieldError:
    named = re.search(r"TEMPORAL_[A-Z_]+[A-Z]", text)
    field = PROFILE if text.startswith("Profile ") else named[0] if named else CONFIG_FILE
    problem = re.sub(r"^(?:Invalid configuration|Configuration loading error): ", "", text).strip()
    return InvalidFieldError(field, problem.splitlines()[0][:200], "correct it, or take it away")


def _check_address(address: str) -> None:
    match = HOST_AND_PORT.fullmatch(address)
    if match is None or not 0 < int(match["port"]) < 65_536:
        raise InvalidFieldError(ADDRESS, f"{address[:200]!r} is no address", "write host:port, without http://")


def _check_papers(tls: TLSConfig) -> None:
    if (tls.client_cert is None) is not (tls.client_private_key is None):
        missing, there = (KEY, CERTIFICATE) if tls.client_private_key is None else (CERTIFICATE, KEY)
        raise InvalidFieldError(missing, f"it is not set, though {_given(there)} is", "set both, or neither")
    for field, content, mark in (
        (AUTHORITY, tls.server_root_ca_cert, PEM_CERTIFICATE),
        (CERTIFICATE, tls.client_cert, PEM_CERTIFICATE),
        (KEY, tls.client_private_key, PEM_KEY),
    ):
        if content is not None and mark not in content:
            what = "private key" if mark == PEM_KEY else "certificate"
            problem = f"there is no {what} in PEM in it"
            raise InvalidFieldError(_given(field), problem, f"name a file that holds a {what} in PEM")


def _given(variable: str) -> str:
    """The variable's name, or that of its twin that holds the text instead of a path, if that is the one in use."""
    twin = variable.replace("_PATH", "_DATA")
    return twin if os.environ.get(twin) else variable
