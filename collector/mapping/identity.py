"""Which device answered: addresses move, and a reading of another device is worse than none."""

from collector.domain.chamber import SERIAL_LIMIT
from collector.domain.errors import MisconfiguredError
from collector.mapping.circumstances import Circumstances
from collector.mapping.excerpt import excerpt
from collector.mapping.profile import Profile
from collector.mapping.select import select
from collector.mapping.tree import Tree, Unended

_WHOLE_BELOW = 10**18


def serial_number(profile: Profile, tree: Tree, known: Circumstances) -> str:
    """The device's own serial number, "" when it names none (or one that may be cut).

    Compared without regard to case with the chamber's, else with the one that was seen first.

    Raises:
        MisconfiguredError: it is another one.
        MalformedAnswerError: the profile's expression meets a shape that it cannot work on.
    """
    if profile.serial_number is None:
        return ""
    sent = _text(select(profile.serial_number, tree))
    expected = known.serial_number.strip() or _first_seen(known)
    if sent and expected and sent.casefold() != expected.casefold():
        raise MisconfiguredError(
            f"identity: the device says {excerpt(sent)}, this chamber's is {excerpt(expected)}; another device has its"
            " address: correct the URL, or set serial_number"
        )
    return sent


def _first_seen(known: Circumstances) -> str:
    memory = known.trusted_memory
    return "" if memory is None else memory.serial_number


def _text(found: object) -> str:
    if isinstance(found, str) and not isinstance(found, Unended):
        text = found.strip()[:SERIAL_LIMIT]
        return text if any(sign.isalnum() for sign in text) else ""
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < _WHOLE_BELOW:
        return str(found)
    return ""
