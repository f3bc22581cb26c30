import os
from pathlib import Path

import pytest

from adapters.secrets import SIZE_LIMIT, FileAndEnvSecrets
from collector.domain.errors import MisconfiguredError
from collector.ports import SecretResolver


def secrets_in(folder: Path, **environment: str) -> SecretResolver:
    return FileAndEnvSecrets({"CHAMBERLOG_SECRET_FOLDERS": str(folder), **environment})


def refusal(secrets: SecretResolver, reference: str) -> str:
    with pytest.raises(MisconfiguredError) as caught:
        secrets.resolve(reference)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.detail


def test_a_variable_is_read_anew_each_time() -> None:
    environment = {"LAB3_TOKEN": "one"}
    secrets = FileAndEnvSecrets(environment)
    assert secrets.resolve("env:LAB3_TOKEN") == "one"
    environment["LAB3_TOKEN"] = "two"
    assert secrets.resolve("env:LAB3_TOKEN") == "two"


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b"abc\n\n", "abc\n"),
        (b" a b ", " a b "),
        ("schlüssel\n".encode(), "schlüssel"),
        (b"x" * SIZE_LIMIT, "x" * SIZE_LIMIT),
    ],
)
def test_a_file_is_read_and_one_trailing_newline_is_cut(tmp_path: Path, content: bytes, secret: str) -> None:
    (tmp_path / "lab3").write_bytes(content)
    assert secrets_in(tmp_path).resolve(f"file:{tmp_path}/lab3") == secret


def test_links_inside_the_folder_are_followed_as_kubernetes_makes_them(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "lab3").write_text("abc")
    (tmp_path / "lab3").symlink_to("..data/lab3")
    assert secrets_in(tmp_path).resolve(f"file:{tmp_path}/lab3") == "abc"


def test_the_standard_folder_is_used_when_none_is_listed(tmp_path: Path) -> None:
    (tmp_path / "lab3").write_text("abc")
    detail = refusal(FileAndEnvSecrets({}), f"file:{tmp_path}/lab3")
    assert "CHAMBERLOG_SECRET_FOLDERS" in detail
    assert "No such file" in refusal(FileAndEnvSecrets({}), "file:/run/secrets/no-such-secret-of-a-chamber")


def test_files_outside_the_folders_are_refused_links_and_dots_included(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.write_text("content-of-outside")
    (inside / "link").symlink_to(outside)
    secrets = secrets_in(inside)
    for path in (outside, inside / "link", inside / ".." / "outside", Path("/proc/self/environ"), Path("/etc/passwd")):
        detail = refusal(secrets, f"file:{path}")
        assert "outside the folders" in detail
        assert "content-of-outside" not in detail


def test_a_file_that_the_workers_own_settings_name_is_refused(tmp_path: Path) -> None:
    own, key, other = tmp_path / "postgres_dsn", tmp_path / "temporal.key", tmp_path / "lab3"
    for file in (own, key, other):
        file.write_text("hunter2")
    (tmp_path / "link").symlink_to(own)
    (tmp_path / "same").hardlink_to(own)
    named = {"CHAMBERLOG_POSTGRES_FILE": str(own), "TEMPORAL_TLS_CLIENT_KEY_PATH": str(key)}
    beside = {"CHAMBERLOG_REDIS_FILE": str(tmp_path / "gone"), "CHAMBERLOG_EGRESS": "/" + "x" * 10_000}
    secrets = secrets_in(tmp_path, **named, **beside)
    for name in ("postgres_dsn", "temporal.key", "link", "same"):
        detail = refusal(secrets, f"file:{tmp_path}/{name}")
        assert "it belongs to the worker" in detail
        assert "hunter2" not in detail
    assert secrets.resolve(f"file:{other}") == "hunter2"


def test_a_file_that_they_name_from_the_working_directory_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postgres_dsn").write_text("hunter2")
    monkeypatch.chdir(tmp_path)
    secrets = secrets_in(tmp_path, CHAMBERLOG_POSTGRES_FILE="postgres_dsn")
    assert "it belongs to the worker" in refusal(secrets, f"file:{tmp_path}/postgres_dsn")


def test_the_workers_own_credentials_are_refused() -> None:
    secrets = FileAndEnvSecrets({"CHAMBERLOG_POSTGRES": "postgresql://u:pw@h/d", "TEMPORAL_API_KEY": "key-of-worker"})
    for name in ("CHAMBERLOG_POSTGRES", "TEMPORAL_API_KEY"):
        detail = refusal(secrets, f"env:{name}")
        assert "belongs to the worker" in detail
        assert "pw" not in detail
        assert "key-of-worker" not in detail


def test_refusals_name_the_reference_and_never_the_content(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("hunter2" * 2_000)
    (tmp_path / "binary").write_bytes(b"hunter2\xff\xfe")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "folder").mkdir()
    secrets = secrets_in(tmp_path, LARGE="hunter2" * 2_000, EMPTY="")
    for reference, problem in {
        f"file:{tmp_path}/large": "longer than",
        f"file:{tmp_path}/binary": "not UTF-8",
        f"file:{tmp_path}/empty": "empty",
        f"file:{tmp_path}/folder": "not a regular file",
        f"file:{tmp_path}/absent": "No such file",
        f"file:{tmp_path}/bad\x00name": "path cannot be a path",
        "env:LARGE": "longer than",
        "env:EMPTY": "empty",
        "env:ABSENT": "not set",
    }.items():
        detail = refusal(secrets, reference)
        assert problem in detail
        assert reference in detail
        assert "hunter2" not in detail


@pytest.mark.timeout(5)
def test_a_named_pipe_does_not_hold_the_worker(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(secrets_in(tmp_path), f"file:{tmp_path}/pipe")


@pytest.mark.parametrize("reference", ["hunter2", "", "env:", "file:", "file:relative/hunter2", "vault:hunter2"])
def test_what_is_no_reference_is_refused_without_showing_it(reference: str) -> None:
    detail = refusal(FileAndEnvSecrets({}), reference)
    assert "env:NAME or file:/absolute/path" in detail
    assert "hunter2" not in detail
