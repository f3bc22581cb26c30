"""Device profiles in folders of YAML files."""

from collections.abc import Sequence
from pathlib import Path

from collector.mapping.loading import ProfileError, load_profile
from collector.mapping.profile import Profile

SUFFIXES = (".yaml", ".yml")


def builtin_profiles_folder() -> Path:
    """The folder `profiles` that ships beside this package."""
    return Path(__file__).resolve().parent.parent / "profiles"


class FileProfiles:
    """The profiles of some folders; implements `collector.ports.ProfileCatalog`.

    Everything is read once, when this is made: a changed file takes effect at the next start.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        """Read all files; of two profiles of one name, the later folder's wins.

        Args:
            folders: usually `[builtin_profiles_folder(), own_folder]`.

        Raises:
            ProfileError: the first wrong file; also for a folder that is not there.
        """
        self._profiles: dict[str, Profile] = {}
        for folder in folders:
            self._profiles |= _read_folder(folder)

    def find(self, name: str) -> Profile | None:
        """The profile of that name, or None."""
        return self._profiles.get(name)

    def names(self) -> Sequence[str]:
        """All names, sorted."""
        return sorted(self._profiles)


def _read_folder(folder: Path) -> dict[str, Profile]:
    if not folder.is_dir():
        raise ProfileError(str(folder), "", 0, "there is no such folder of profiles", "create it or correct its path")
    found: dict[str, Profile] = {}
    for file in sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES):
        profile = _read_file(file)
        if profile.name in found:
            raise ProfileError(str(file), "name", 0, f"{profile.name} stands in this folder twice", "remove one file")
        found[profile.name] = profile
    return found


def _read_file(file: Path) -> Profile:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.strerror)
        raise ProfileError(str(file), "", 0, f"it cannot be read: {problem}", "make it readable, as UTF-8") from None
    return load_profile(text, str(file), stem=file.stem)
