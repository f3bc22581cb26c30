"""Whether a worker or the API is ready: `python -m cli.readiness URL`, for the health checks of containers.

They ask every few seconds, so this imports next to nothing: a tenth of what `chamberlog ready` takes, which is the same
for people.
"""

import http.client
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

PATH = "/readyz"
TIMEOUT_S = 4.0
"""Above what the API waits for its servers, below what health checks are usually given."""
EXCERPT_CHARACTERS = 300
NOT_READY = 6
"""`cli.exits.ExitCode.AWAY`, which is not worth its import here."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it is ready; else 6 and one line on standard error that says why not.

    Args:
        argv: the base URL; None takes the process's arguments.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m cli.readiness http://127.0.0.1:8080\n")
        return NOT_READY
    problem = why_not_ready(arguments[0])
    if problem:
        sys.stderr.write(f"{problem}\n")
    return NOT_READY if problem else 0


def why_not_ready(base: str) -> str:
    """Empty when `/readyz` answers 2xx, else the address and what is wrong. No proxy: who asks stands beside it.

    Args:
        base: URL of the API, or of a worker's metrics.
    """
    url = base.rstrip("/").removesuffix(PATH) + PATH
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_S):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return _line(url, error.code, error.read(EXCERPT_CHARACTERS).decode(errors="replace"))
    except urllib.error.URLError as error:
        return _line(url, error.reason)
    except (OSError, ValueError, http.client.HTTPException) as error:  # a time-out, no URL, or no HTTP
        return _line(url, str(error) or type(error).__name__)


def _line(url: str, *words: object) -> str:
    return f"{url}: {' '.join(' '.join(str(word) for word in words).split())}"


if __name__ == "__main__":
    sys.exit(main())
