"""Device profiles in folders of YAML files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.domain.chamber import ChamberSpec
from collector.domain.profile_document import ProfileDocument, ProfileOrigin, plain_text, unknown_profile
from collector.mapping.loading import ProfileError, load_profile
from collector.mapping.profile import Profile

SUFFIXES = (".yaml", ".yml")


def builtin_profiles_folder() -> Path:
    """The folder `profiles` that ships beside this package."""
    return Path(__file__).resolve().parent.parent / "profiles"


@dataclass(frozen=True, slots=True)
class _ReadFile:
    """A file: the profile, and its text."""

    profile: Profile
    document: ProfileDocument


class FileProfiles:
    """The profiles of some folders; implements `collector.ports.ProfileCatalog`.

    Everything is read once, when this is made: a changed file takes effect at the next start. It implements
    `SpecProfiles` too, for a process without a database: that knows no versions but those of its files.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        """Read all files; of two profiles of one name, the later folder's wins.

        Args:
            folders: usually `[builtin_profiles_folder(), own_folder]`.

        Raises:
            ProfileError: the first wrong file; also for a folder that is not there.
        """
        self._files: dict[str, _ReadFile] = {}
        self._versions: dict[tuple[str, str], Profile] = {}
        for folder in folders:
            found = _read_folder(folder)
            self._files |= found
            self._versions |= {(name, file.document.version): file.profile for name, file in found.items()}

    def find(self, name: str) -> Profile | None:
        """The profile of that name, or None."""
        file = self._files.get(name)
        return None if file is None else file.profile

    def names(self) -> Sequence[str]:
        """All names, sorted."""
        return sorted(self._files)

    def document(self, name: str) -> ProfileDocument | None:
        """The text of the profile of that name, or None."""
        file = self._files.get(name)
        return None if file is None else file.document

    def of_version(self, name: str, version: str) -> Profile | None:
        """Exactly that version, or None."""
        return self._versions.get((name, version))

    async def of(self, spec: ChamberSpec) -> Profile:
        """The profile that reads a chamber; see `SpecProfiles.of`."""
        version = spec.profile_version
        found = self.of_version(spec.profile, version) if version else self.find(spec.profile)
        if found is None:
            raise unknown_profile(spec, ", ".join(self.names()))
        return found


def _read_folder(folder: Path) -> dict[str, _ReadFile]:
    if not folder.is_dir():
        raise ProfileError(str(folder), "", 0, "there is no such folder of profiles", "create it or correct its path")
    built_in = folder.resolve() == builtin_profiles_folder()
    origin = ProfileOrigin.BUILT_IN if built_in else ProfileOrigin.DIRECTORY
    found: dict[str, _ReadFile] = {}
    for file in sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES):
        read = _read_file(file, origin)
        name = read.profile.name
        if name in found:
            raise ProfileError(str(file), "name", 0, f"{name} stands in this folder twice", "remove one file")
        found[name] = read
    return found


def _read_file(file: Path, origin: ProfileOrigin) -> _ReadFile:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.strerror)
        raise ProfileError(str(file), "", 0, f"it cannot be read: {problem}", "make it readable, as UTF-8") from None
    profile = load_profile(text, str(file), stem=file.stem)
    return _ReadFile(profile, ProfileDocument(profile.name, plain_text(text), origin))
