"""Secrets of the programs: by themselves or from a file, named and never quoted when they are wrong."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.secret_settings import SIZE_LIMIT, read_secret, shown_address
from api.bootstrap import load_settings as load_api_settings
from api.settings import ApiSettings
from cli.__main__ import main
from cli.bootstrap import find_postgres
from cli.exits import ExitCode
from collector.domain.errors import InvalidFieldError
from workers.bootstrap import load_settings as load_worker_settings
from workers.settings import WorkerSettings

DSN = "postgresql://lab:hunter2@db:5432/readings"
URL = "redis://:hunter2@cache:6379/0"
VARIABLE, FILE = "CHAMBERLOG_POSTGRES", "CHAMBERLOG_POSTGRES_FILE"
PROGRAMS: list[Callable[[], ApiSettings | WorkerSettings]] = [load_api_settings, load_worker_settings]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any of our variables."""
    for name in [name for name in os.environ if name.startswith("CHAMBERLOG_")]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def file(tmp_path: Path, environment: pytest.MonkeyPatch) -> Path:
    """The file that the environment names; not there yet."""
    path = tmp_path / "dsn"
    environment.setenv(FILE, str(path))
    return path


def refusal() -> InvalidFieldError:
    """What each way to read the secret says; it is the same."""
    said: list[InvalidFieldError] = []
    readers: list[Callable[[], object]] = [*PROGRAMS, lambda: find_postgres(None)]
    for read in readers:
        with pytest.raises(InvalidFieldError) as wrong:
            read()
        said.append(wrong.value)
    assert len({str(error) for error in said}) == 1
    assert "hunter2" not in str(said[0])
    assert said[0].__cause__ is None
    return said[0]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_comes_from_its_file_without_the_newline(file: Path, end: str) -> None:
    file.write_bytes(f"{DSN}{end}".encode())
    assert [load().postgres.get_secret_value() for load in PROGRAMS] == [DSN, DSN]
    assert find_postgres(None) == DSN


def test_only_one_newline_is_taken_for_the_end_of_the_file(file: Path) -> None:
    file.write_text(f"{DSN} \n\n")
    assert find_postgres(None) == f"{DSN} \n"


def test_the_cache_may_have_a_file_too(environment: pytest.MonkeyPatch, file: Path, tmp_path: Path) -> None:
    file.write_text(DSN)
    (tmp_path / "url").write_text(f"{URL}\n")
    environment.setenv("CHAMBERLOG_REDIS_FILE", str(tmp_path / "url"))
    for load in PROGRAMS:
        redis = load().redis
        assert redis is not None
        assert redis.get_secret_value() == URL


def test_both_forms_at_once_are_refused(environment: pytest.MonkeyPatch, file: Path) -> None:
    file.write_text(DSN)
    environment.setenv(VARIABLE, DSN)
    assert str(refusal()) == f"{FILE}: it is set, and so is {VARIABLE}; set one of the two"


def test_an_empty_form_is_one_that_is_not_set(environment: pytest.MonkeyPatch, file: Path) -> None:
    file.write_text(DSN)
    environment.setenv(VARIABLE, "")
    assert find_postgres(None) == DSN
    environment.setenv(VARIABLE, DSN)
    environment.setenv(FILE, "")
    assert load_worker_settings().postgres.get_secret_value() == DSN


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n"])
def test_an_empty_file_is_named(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    error = refusal()
    assert (error.field, error.problem) == (FILE, f"{file} is empty")
    assert error.remedy == "name a file that this process can read and that holds the secret alone"


def test_a_file_that_cannot_be_read_is_named(file: Path) -> None:
    assert refusal().problem == f"{file} cannot be read: No such file or directory"
    file.mkdir()
    assert refusal().problem == f"{file} cannot be read: Is a directory"


def test_what_is_no_text_is_not_quoted(file: Path) -> None:
    file.write_bytes(b"postgresql://lab:hunter2\xff@db/x")
    assert refusal().problem == f"'{file}' is no file of UTF-8 text"


def test_a_file_of_another_kind_is_not_read_whole(file: Path) -> None:
    file.write_text(DSN + "x" * SIZE_LIMIT)
    assert refusal().problem == f"{file} is longer than {SIZE_LIMIT} bytes"


@pytest.mark.parametrize(
    ("dsn", "problem"),
    [
        ("hunter2", "it does not begin with postgresql://"),
        ("host=db password=hunter2", "it does not begin with postgresql://"),
        ("mysql://lab:hunter2@db/x", "it does not begin with postgresql://"),
        ("postgresql://lab:a/hunter2@db/x", "its password has characters that end the host's part of an address"),
        ("postgresql://lab:a#hunter2@db/x", "its password has characters that end the host's part of an address"),
        ("postgresql://lab:a?hunter2@db/x", "its password has characters that end the host's part of an address"),
        ("postgresql://lab:hunter2@db:54x/x", "its port is not a number up to 65535"),
        ("postgresql://lab:hunter2@db:65536/x", "its port is not a number up to 65535"),
        ("postgresql://lab:hunter2@a:1,b:y/x", "its port is not a number up to 65535"),
        ("postgresql://lab:hunter2@fd00::7/x", "its port is not a number up to 65535"),
        ("postgresql://lab:a[hunter2@db/x", "its password has characters that end the host's part of an address"),
        ("postgresql://lab:a]hunter2@db/x", "its password has characters that end the host's part of an address"),
        ("postgresql://lab:a\u2100hunter2@db/x", "its password has characters that end the host's part of an address"),
    ],
)
def test_what_can_never_be_reached_is_not_waited_for(
    environment: pytest.MonkeyPatch, tmp_path: Path, dsn: str, problem: str
) -> None:
    environment.setenv(VARIABLE, dsn)
    assert (refusal().field, refusal().problem) == (VARIABLE, problem)
    environment.delenv(VARIABLE)
    (tmp_path / "dsn").write_text(dsn)
    environment.setenv(FILE, str(tmp_path / "dsn"))
    assert (refusal().field, refusal().problem) == (FILE, problem)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (DSN, "db:5432/readings"),
        ("postgres://db/x?sslmode=require&password=hunter2", "db/x"),
        ("postgresql://lab:p%40%2F@a:1,b:2/x", "a:1,b:2/x"),
        ("postgresql://lab:hun@ter2@db/x?options=me@home", "db/x"),
        ("postgresql://[fd00::7]:5432/x", "[fd00::7]:5432/x"),
        ("postgresql:///x?host=/var/run", "/x"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(address: str, shown: str) -> None:
    assert read_secret(VARIABLE, {VARIABLE: address}) == address
    assert shown_address(address) == shown


def test_the_flag_of_migrate_wins_and_is_judged_as_well(
    file: Path, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    environment.chdir(tmp_path)
    file.write_text(DSN)
    assert find_postgres("postgresql://other/x") == "postgresql://other/x"
    assert main(["migrate", "--check"]) == ExitCode.FINE
    assert capsys.readouterr().out.endswith("migrations for PostgreSQL db:5432/readings\n")
    assert main(["migrate", "--check", "--postgres", "hunter2"]) == ExitCode.REFUSED
    assert "error: CHAMBERLOG_POSTGRES: it does not begin with postgresql://" in capsys.readouterr().err
    file.unlink()
    assert main(["migrate", "--check"]) == ExitCode.REFUSED
    assert f"error: {FILE}: {file} cannot be read" in capsys.readouterr().err
