"""Which setting of Temporal is to blame, before anything waits for a server that it will never speak to."""

from pathlib import Path

import pytest
from temporalio.envconfig import ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode, TLSConfig

from adapters.temporal_client import connect_lazily
from adapters.temporal_settings import blamed, connect_config, explained
from collector.domain.errors import InvalidFieldError

PEM = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"
PEM_KEY = "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n"
ADDRESS, FILE = "TEMPORAL_ADDRESS", "TEMPORAL_CONFIG_FILE"
CA, CERT, KEY = (
    "TEMPORAL_TLS_SERVER_CA_CERT",
    "TEMPORAL_TLS_CLIENT_CERT",
    "TEMPORAL_TLS_CLIENT_KEY",
)
WRONG: list[tuple[dict[str, str], str]] = [
    ({ADDRESS: "temporal"}, "TEMPORAL_ADDRESS: 'temporal' is no address; write host:port, without http://"),
    ({ADDRESS: ":7233"}, "TEMPORAL_ADDRESS: ':7233' is no address"),
    ({ADDRESS: "temporal:99999"}, "TEMPORAL_ADDRESS: 'temporal:99999' is no address"),
    ({ADDRESS: "temporal:0"}, "TEMPORAL_ADDRESS: 'temporal:0' is no address"),
    ({ADDRESS: "https://temporal:7233"}, "TEMPORAL_ADDRESS: 'https://temporal:7233' is no address"),
    ({ADDRESS: "temporal:7233/path"}, "TEMPORAL_ADDRESS: 'temporal:7233/path' is no address"),
    ({FILE: "/gone.toml"}, "TEMPORAL_CONFIG_FILE: /gone.toml cannot be read: No such file"),
    ({FILE: "/"}, "TEMPORAL_CONFIG_FILE: / cannot be read: Is a directory"),
    ({"TEMPORAL_PROFILE": "north"}, "TEMPORAL_PROFILE: Profile 'north' not found; correct it"),
    ({f"{CA}_PATH": "/gone.pem"}, "TEMPORAL_TLS_SERVER_CA_CERT_PATH: /gone.pem cannot be read: No such file"),
    ({f"{CERT}_PATH": "/gone.pem"}, "TEMPORAL_TLS_CLIENT_CERT_PATH: /gone.pem cannot be read: No such file"),
    ({f"{KEY}_PATH": "/gone.pem"}, "TEMPORAL_TLS_CLIENT_KEY_PATH: /gone.pem cannot be read: No such file"),
    ({f"{CERT}_DATA": PEM}, "TEMPORAL_TLS_CLIENT_KEY_PATH: it is not set, though TEMPORAL_TLS_CLIENT_CERT_DATA is"),
    ({f"{KEY}_DATA": PEM_KEY}, "TEMPORAL_TLS_CLIENT_CERT_PATH: it is not set, though TEMPORAL_TLS_CLIENT_KEY_DATA"),
    ({f"{CA}_DATA": "hello"}, "TEMPORAL_TLS_SERVER_CA_CERT_DATA: there is no certificate in PEM in it"),
    ({f"{CERT}_DATA": "x", f"{KEY}_DATA": PEM_KEY}, "TEMPORAL_TLS_CLIENT_CERT_DATA: there is no certificate in PEM"),
    ({f"{CERT}_DATA": PEM, f"{KEY}_DATA": PEM}, "TEMPORAL_TLS_CLIENT_KEY_DATA: there is no private key in PEM in it"),
    ({f"{CA}_DATA": PEM, f"{CA}_PATH": "/x"}, "TEMPORAL_TLS_SERVER_CA_CERT_PATH: Cannot specify both"),
    ({"TEMPORAL_API_KEY": "hunter2\n"}, "TEMPORAL_API_KEY: it has blanks, line ends or other characters"),
    ({"TEMPORAL_TLS_DISABLE_HOST_VERIFICATION": "true"}, "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: Temporal's SDK"),
]


@pytest.fixture(autouse=True)
def nobodys_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The person's own file means another server."""
    empty = tmp_path / "empty.toml"
    empty.touch()
    monkeypatch.setenv(FILE, str(empty))


def setting(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("variables", "said"), WRONG)
async def test_what_cannot_work_is_said_before_anything_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    setting(monkeypatch, variables)
    with pytest.raises(InvalidFieldError) as wrong:
        await connect_lazily()
    assert str(wrong.value).startswith(said)
    assert "hunter2" not in str(wrong.value)


def test_a_file_that_a_profile_names_is_blamed_on_the_profiles_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text("[profile.lab]\naddress = 'lab:7233'\n[profile.lab.tls]\nserver_ca_cert_path = '/gone.pem'\n")
    setting(monkeypatch, {FILE: str(file), "TEMPORAL_PROFILE": "lab"})
    with pytest.raises(InvalidFieldError, match=r"^TEMPORAL_CONFIG_FILE: /gone\.pem cannot be read"):
        connect_config()


def test_an_api_key_turns_tls_on(monkeypatch: pytest.MonkeyPatch) -> None:
    setting(monkeypatch, {ADDRESS: "lab.a1b2c.tmprl.cloud:7233", "TEMPORAL_API_KEY": "hunter2"})
    config = connect_config()
    assert (config["target_host"], config["tls"], config["api_key"]) == ("lab.a1b2c.tmprl.cloud:7233", True, "hunter2")


def test_without_settings_it_is_the_local_server() -> None:
    assert connect_config() == {"target_host": "localhost:7233"}


HERE: ClientConnectConfig = {"target_host": "lab:7233"}
WITH_PAPERS: ClientConnectConfig = {"target_host": "lab:7233", "tls": TLSConfig(client_cert=b"x")}
WITH_KEY: ClientConnectConfig = {"target_host": "lab:7233", "api_key": "hunter2", "namespace": "lab.a1b2c"}


@pytest.mark.parametrize(
    ("error", "config", "said"),
    [
        (
            RPCError("no", RPCStatusCode.UNAUTHENTICATED, b""),
            WITH_KEY,
            "TEMPORAL_API_KEY: lab:7233: the server refuses",
        ),
        (RPCError("no", RPCStatusCode.PERMISSION_DENIED, b""), HERE, "TEMPORAL_API_KEY: lab:7233: the server asks for"),
        (
            RuntimeError("received fatal alert: BadCertificate"),
            HERE,
            "TEMPORAL_TLS_CLIENT_CERT_PATH: lab:7233: the serv",
        ),
        (
            RuntimeError("received fatal alert: UnknownCA"),
            WITH_PAPERS,
            "TEMPORAL_TLS_CLIENT_CERT_PATH: lab:7233: the s",
        ),
    ],
)
def test_who_refuses_for_good_is_said_with_the_setting(
    error: Exception, config: ClientConnectConfig, said: str
) -> None:
    found = blamed(error, config)
    assert str(found).startswith(said)
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        RPCError("busy", RPCStatusCode.UNAVAILABLE, b""),
        RuntimeError("Failed client connect: tcp connect error, Connection refused"),
        RuntimeError("Failed client connect: InvalidCertificate(ExpiredContext { time: 1 })"),
        RuntimeError("Failed client connect: dns error"),
    ],
)
def test_what_may_pass_is_nobodys_fault(error: Exception) -> None:
    assert blamed(error, HERE) is None


def test_an_expired_certificate_is_said_in_words() -> None:
    error = RuntimeError("Failed client connect: InvalidCertificate(ExpiredContext { time: 1 })")
    assert explained(error).startswith("the server's certificate is not valid now")
    assert explained(RuntimeError("Failed client connect: dns error")) == "dns error"
