"""Options of TLS in an address that can never work are named before anything is waited for."""

from pathlib import Path

import pytest

from adapters.redis.pool import PATIENCE_S, TLS_PATIENCE_S, lazy_client, patience_of
from adapters.secret_settings import read_secret
from collector.domain.errors import InvalidFieldError

DSN = "postgresql://lab:hunter2@db:5432/readings?"
URL = "rediss://:hunter2@cache:6379/0?"
POSTGRES, REDIS = "CHAMBERLOG_POSTGRES", "CHAMBERLOG_REDIS"


@pytest.mark.parametrize(
    ("variable", "address", "said"),
    [
        (POSTGRES, DSN + "sslmode=verify-full&sslrootcert=/gone.pem", "sslrootcert=/gone.pem cannot be read: No such"),
        (POSTGRES, DSN + "sslcert=/gone.pem", "sslcert=/gone.pem cannot be read"),
        (POSTGRES, DSN + "sslkey=/", "sslkey=/ cannot be read: Is a directory"),
        (POSTGRES, DSN + "sslmode=maybe", "there is no sslmode 'maybe'; use one of disable, allow, prefer, require"),
        (POSTGRES, DSN + "sslmod=require", "there is no option 'sslmod'"),
        (REDIS, URL + "ssl_ca_certs=/gone.pem", "ssl_ca_certs=/gone.pem cannot be read"),
        (REDIS, URL + "ssl_keyfile=/gone.pem", "ssl_keyfile=/gone.pem cannot be read"),
    ],
)
def test_a_wrong_option_is_named(variable: str, address: str, said: str) -> None:
    with pytest.raises(InvalidFieldError) as wrong:
        read_secret(variable, {variable: address})
    assert str(wrong.value).startswith(f"{variable}: {said}")
    assert "hunter2" not in str(wrong.value)


def test_right_ones_pass(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.touch()
    for variable, address in (
        (POSTGRES, f"{DSN}sslmode=verify-full&sslrootcert={file}&application_name=lab"),
        (POSTGRES, DSN + "sslmode=require"),
        (REDIS, f"{URL}ssl_ca_certs={file}"),
    ):
        assert read_secret(variable, {variable: address}) == address


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (URL + "ssl_ca=/x", "CHAMBERLOG_REDIS: there is no option 'ssl_ca'"),
        (URL + "ssl_cert_reqs=perhaps", "CHAMBERLOG_REDIS: it is not a Redis URL"),
    ],
)
async def test_an_option_that_the_driver_does_not_know_is_found_at_once(url: str, said: str) -> None:
    with pytest.raises(InvalidFieldError) as wrong:
        lazy_client(url)
    assert str(wrong.value).startswith(said)
    assert "hunter2" not in str(wrong.value)


def test_tls_is_given_more_time() -> None:
    assert patience_of(URL) == TLS_PATIENCE_S > PATIENCE_S == patience_of("redis://cache:6379/0")
