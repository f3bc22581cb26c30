"""Secrets from the operating system's generator."""

import secrets

from collector.domain.credentials import Credential, Kind, read_credential

ID_BYTES, SECRET_BYTES = 6, 32


class SystemCredentials:
    """Implements `collector.ports.credentials.CredentialMaker`."""

    def new_id(self) -> str:
        """12 hexadecimal digits; see `CredentialMaker.new_id`."""
        return secrets.token_hex(ID_BYTES)

    def make(self, kind: Kind) -> Credential:
        """A secret that nobody has; see `CredentialMaker.make`."""
        made = read_credential(kind, f"{kind.value}_{self.new_id()}_{secrets.token_urlsafe(SECRET_BYTES)}")
        assert made is not None  # 32 bytes are 43 characters
        return made
