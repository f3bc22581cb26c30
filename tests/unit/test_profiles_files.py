"""Profiles in folders."""

from pathlib import Path

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from collector.mapping.loading import ProfileError
from collector.ports import ProfileCatalog

SMALL = "name: {name}\ndescription: {text}\nmeasurements: [{{name: t, select: t, unit: C}}]\n"


def write(folder: Path, name: str, text: str = "", file: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / (file or f"{name}.yaml")
    path.write_text(SMALL.format(name=name, text=text or "mine"), encoding="utf-8")
    return path


def test_builtin_profiles() -> None:
    catalog: ProfileCatalog = FileProfiles([builtin_profiles_folder()])
    assert {"airgradient", "generic-json"} <= set(catalog.names())
    assert list(catalog.names()) == sorted(catalog.names())
    assert catalog.find("nothing") is None
    airgradient = catalog.find("airgradient")
    assert airgradient is not None
    assert airgradient.request.path == "/measures/current"


def test_later_folder_wins(tmp_path: Path) -> None:
    write(tmp_path / "a", "one", "first")
    write(tmp_path / "a", "two", "first")
    write(tmp_path / "b", "two", "second", "two.yml")
    catalog = FileProfiles([tmp_path / "a", tmp_path / "b"])
    found = [catalog.find("one"), catalog.find("two")]
    assert [profile.description for profile in found if profile] == ["first", "second"]
    assert catalog.names() == ["one", "two"]


def test_own_profile_replaces_a_builtin_one(tmp_path: Path) -> None:
    write(tmp_path / "own", "airgradient", "ours")
    profile = FileProfiles([builtin_profiles_folder(), tmp_path / "own"]).find("airgradient")
    assert profile is not None
    assert profile.description == "ours"


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "a", "one")
    (tmp_path / "a" / "README.md").write_text("not a profile", encoding="utf-8")
    assert FileProfiles([tmp_path / "a"]).names() == ["one"]


def test_name_must_be_the_files(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "one", file="other.yaml")
    with pytest.raises(ProfileError) as caught:
        FileProfiles([tmp_path / "a"])
    assert (caught.value.file, caught.value.key, caught.value.line) == (str(path), "name", 1)
    assert "write other" in caught.value.remedy


def test_one_name_twice_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "a", "one")
    write(tmp_path / "a", "one", file="one.yml")
    with pytest.raises(ProfileError, match=r"one\.yml: name: one stands in this folder twice"):
        FileProfiles([tmp_path / "a"])


@pytest.mark.parametrize("content", [b"name: \xff\xfe", b""])
def test_unreadable_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.yaml").write_bytes(content)
    with pytest.raises(ProfileError, match=r"bad\.yaml"):
        FileProfiles([tmp_path])


def test_folder_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").mkdir()
    with pytest.raises(ProfileError, match=r"bad\.yaml: it cannot be read"):
        FileProfiles([tmp_path])


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="there is no such folder of profiles; create it or correct its path"):
        FileProfiles([tmp_path / "nowhere"])


def test_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "one")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert FileProfiles([tmp_path / "a"]).names() == ["one"]
