"""What ends the making of pictures."""

from collector.domain.errors import ChamberlogError


class PictureError(ChamberlogError):
    """A picture cannot be made; the text says which step failed."""
