"""Whether what opened a stream would still open one."""

from collector.ports import KeyStore


class StillValid:
    """Looks a credential up again by its name: a stream has no secret, and behind the gateway it never had one.

    It may run any number of times, and trusts nothing that was seen before: what cannot be looked up shows nothing.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def __call__(self, credential: str) -> bool:
        """Whether `key/<id>` is neither revoked nor expired; a credential of another kind is not valid.

        Args:
            credential: `Principal.credential`.

        Raises:
            AwayError: it cannot be looked up.
        """
        kind, _, name = credential.partition("/")
        return kind == "key" and await self._keys.find(name) is not None
