"""Chromium without a window, steered by its own DevTools protocol."""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from handbook.screenshots.errors import PictureError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it opens pages of this machine only, and as root there is no other way
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--no-first-run",
    "--remote-debugging-port=0",
)
START_S, ANSWER_S, APPEAR_S = 30.0, 30.0, 40.0
LOOK_S = 0.1
LARGEST_MESSAGE = 64 * 2**20
"""Bytes: a picture comes as one message."""


class Browser:
    """One page of a browser; made by `browser()`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._ids = socket, itertools.count(1)
        self._session = ""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Page.enable")
        self._ask("Emulation.setTimezoneOverride", timezoneId="UTC")

    def size(self, width: int, height: int) -> None:
        """The size of the page in CSS pixels."""
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def remember(self, storage: dict[str, str]) -> None:
        """What pages that are opened from now on find in their local storage."""
        script = f"for (const [k, v] of Object.entries({json.dumps(storage)})) localStorage.setItem(k, v)"
        self._ask("Page.addScriptToEvaluateOnNewDocument", source=f"try {{ {script} }} catch {{}}")

    def sign_in(self, key: str) -> None:
        """Send the key with every request from now on."""
        self._ask("Network.enable")
        self._ask("Network.setExtraHTTPHeaders", headers={"Authorization": f"Bearer {key}"})

    def open(self, url: str) -> None:
        """Open a page, and return when its document is there."""
        error = self._ask("Page.navigate", url=url).get("errorText")
        if error:
            raise PictureError(f"the page cannot be opened: {error}")
        self.until("document.readyState === 'complete'", "the page has loaded")

    def until(self, condition: str, what: str, within_s: float = APPEAR_S) -> None:
        """Wait until the JavaScript expression is true.

        Raises:
            PictureError: it was not in time; says what was waited for, and what the page shows instead.
        """
        give_up = time.monotonic() + within_s
        while not self.value(f"Boolean({condition})"):
            if time.monotonic() > give_up:
                shown = str(self.value("document.body ? document.body.innerText : ''"))
                raise PictureError(f"the page never came so far that {what}; it shows: {shown[:400]!r}")
            time.sleep(LOOK_S)

    def shows(self, text: str) -> None:
        """Wait until the text can be read on the page, in one of its frames of the same origin too."""
        frames = "[document, ...[...document.querySelectorAll('iframe')].map(f => f.contentDocument)]"
        read = f"{frames}.some(d => d && d.body && d.body.innerText.includes({json.dumps(text)}))"
        self.until(read, f"{text!r} can be read")

    def click(self, selector: str) -> None:
        """Click what the selector finds; the first of them."""
        self.until(f"document.querySelector({json.dumps(selector)})", f"there is {selector}")
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives; a promise is awaited."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise PictureError(f"{expression[:200]!r} fails in the page: {answer['exceptionDetails'].get('text')}")
        return answer["result"].get("value")

    def picture(self, clip: tuple[float, float, float, float] | None = None) -> bytes:
        """What is seen now as a PNG; `clip` is left, top, width and height in CSS pixels."""
        part: dict[str, Any] = {}
        if clip is not None:
            part["clip"] = dict(zip(("x", "y", "width", "height"), clip, strict=True)) | {"scale": 1}
        return base64.b64decode(self._ask("Page.captureScreenshot", format="png", **part)["data"])

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        order = {"id": number, "method": method, "params": params}
        self._socket.send(json.dumps(order | ({"sessionId": self._session} if self._session else {})))
        give_up = time.monotonic() + ANSWER_S
        while (left := give_up - time.monotonic()) > 0:
            answer: dict[str, Any] = json.loads(self._socket.recv(timeout=left))
            if answer.get("id") != number:  # an event of the page
                continue
            if "error" in answer:
                raise PictureError(f"{method} was refused: {answer['error'].get('message')}")
            result: dict[str, Any] = answer["result"]
            return result
        raise PictureError(f"{method} was not answered within {ANSWER_S:g} s")


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own; it has ended afterwards, and nothing of it is left.

    Raises:
        PictureError: there is no Chromium, or it does not start.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise PictureError("there is no Chromium; install the package chromium and try again")
    with tempfile.TemporaryDirectory(prefix="chamberlog-chromium-", ignore_cleanup_errors=True) as profile:
        command = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_address(child, Path(profile)), max_size=LARGEST_MESSAGE, compression=None) as socket:
                yield Browser(socket)
        except (OSError, WebSocketException, TimeoutError) as error:
            raise PictureError(f"Chromium does not answer: {error}") from error
        finally:
            child.terminate()
            child.wait()


def _address(child: subprocess.Popen[bytes], profile: Path) -> str:
    """Where its protocol is; it writes port and path into its profile."""
    file, give_up = profile / "DevToolsActivePort", time.monotonic() + START_S
    while time.monotonic() < give_up and child.poll() is None:
        if file.exists() and len(lines := file.read_text().splitlines()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(LOOK_S)
    raise PictureError("Chromium did not start")
