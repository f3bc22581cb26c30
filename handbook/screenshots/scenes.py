"""What is taken a picture of, one function each."""

import json
import math
import socket
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote

from handbook.screenshots.chromium import Browser
from handbook.screenshots.stage import FAILING, PAUSED, SLOW, STEADY, TROUBLED, Stage
from handbook.screenshots.terminal import drawing

WIDTH = 1400
"""CSS pixels: with less the Web UI breaks its rows."""
COLUMNS = ("Status", "Workflow ID", "ChamberStatus", "ChamberSection", "ChamberProfile", "ChamberIntervalSeconds")
COLUMNS_KEY = "namespace-workflow-table-columns"
"""Where the Web UI keeps a person's own columns, by namespace."""
SETTLED_S = 1.5
"""Until what moves on a page has come to rest: the Web UI fades frames in."""
MARGIN = 16
RUNNING = 'AND ExecutionStatus="Running"'


def prepare(browser: Browser, stage: Stage) -> None:
    """The browser as a super-administrator has it: signed in, with columns for chambers."""
    browser.sign_in(stage.key)
    columns = {"default": [{"label": label} for label in COLUMNS]}
    browser.remember({COLUMNS_KEY: json.dumps(columns)})


def fleet(browser: Browser, stage: Stage) -> bytes:
    """All chambers in the list of workflows."""
    query = quote(f'WorkflowType="Chamber" {RUNNING}', safe="")
    _open(browser, stage, f"workflows?query={query}", 800)
    browser.shows("chamber/sim-12")
    browser.shows("climate")
    return _settled(browser)


def failing(browser: Browser, stage: Stage) -> bytes:
    """A saved query: what fails."""
    query = quote(f'ChamberStatus IN ("failing", "paused") {RUNNING}', safe="")
    _open(browser, stage, f"workflows?query={query}", 470)
    browser.shows(f"chamber/{FAILING}")
    browser.shows(f"chamber/{PAUSED}")
    return _settled(browser)


def page_of(chamber: str, height: int) -> Callable[[Browser, Stage], bytes]:
    """The page of a chamber: summary, details, current details."""

    def scene(browser: Browser, stage: Stage) -> bytes:
        _chamber(browser, stage, chamber, height, "User Metadata")
        browser.shows("Started with version")
        browser.shows("all failing")
        return _settled(browser)

    return scene


def timeline(browser: Browser, stage: Stage) -> bytes:
    """Timers and activities of a chamber by their summaries; what stands above is left out."""
    _chamber(browser, stage, STEADY, 1400, "Timeline")
    heading = "[...document.querySelectorAll('h2')].find(h => h.innerText.startsWith('Timeline'))"
    browser.until(heading, "there is the time line")
    time.sleep(SETTLED_S)
    left, top = browser.value(f"(r => [r.left, r.top])({heading}.getBoundingClientRect())")
    return browser.picture((left - MARGIN, top - MARGIN, WIDTH - left, 640))


def pending(browser: Browser, stage: Stage) -> bytes:
    """What Temporal shows of the round in which a device begins to fail: attempt and last failure."""
    stage.break_device(TROUBLED)
    _chamber(browser, stage, TROUBLED, 900, "Pending Activities")
    trace = "[...document.querySelectorAll('p')].find(e => e.textContent.trim() === 'Stack Trace')"
    browser.until(trace, "there is a failure with its stack trace")
    _mask_host(browser)
    top = browser.value(f"{trace}.getBoundingClientRect().top")  # the trace names folders of this machine
    _settled(browser)
    return browser.picture((0, 0, WIDTH, top))


def api(browser: Browser, stage: Stage) -> bytes:
    """The gateway's /docs."""
    browser.size(WIDTH, 900)
    browser.open(f"{stage.stack['gateway']}/docs")
    browser.until("document.querySelectorAll('.opblock').length > 10", "it lists operations")
    return _settled(browser)


WEB: Mapping[str, Callable[[Browser, Stage], bytes]] = {
    "desk-fleet": fleet,
    "desk-query": failing,
    "desk-chamber": page_of(SLOW, 1150),
    "desk-failing": page_of(FAILING, 1150),
    "desk-paused": page_of(PAUSED, 1150),
    "desk-timeline": timeline,
    "gateway-docs": api,
    "desk-pending": pending,  # last: it breaks one more device
}
TERMINAL: Mapping[str, tuple[tuple[str, ...], int]] = {
    "terminal-readings": (("readings", "sim-01", "temperature", "--plot", "--from=-2m"), 100),
    "terminal-audit": (("audit",), 80),
    "terminal-top": (("top", "--once"), 112),
}
"""Arguments of `chamberlog`, and columns of the terminal."""


def draw(browser: Browser, ansi: str, title: str, columns: int) -> bytes:
    """A terminal's text as a picture of a window."""
    svg = drawing(ansi, title, columns)
    page = f"<html><body style='margin:0'>{svg}</body></html>"
    browser.value(f"document.open(); document.write({json.dumps(page)}); document.close()")
    browser.until("document.querySelector('svg')", "there is the drawing")
    width, height = browser.value("(b => [b.width, b.height])(document.querySelector('svg').viewBox.baseVal)")
    browser.size(math.ceil(width), math.ceil(height))
    return browser.picture()


def _open(browser: Browser, stage: Stage, path: str, height: int) -> None:
    browser.size(WIDTH, height)
    browser.open(f"{stage.stack['web_ui']}/namespaces/default/{path}")


def _chamber(browser: Browser, stage: Stage, chamber: str, height: int, tab: str) -> None:
    _open(browser, stage, f"workflows/{quote(f'chamber/{chamber}', safe='')}", height)
    browser.shows(f"chamber/{chamber}")
    found = f"[...document.querySelectorAll('a[role=tab]')].find(a => a.innerText.startsWith({json.dumps(tab)}))"
    browser.until(found, f"there is the tab {tab}")
    browser.value(f"{found}.click()")


def _mask_host(browser: Browser) -> None:
    """A worker's identity has the name of its machine: in a picture it is another one's."""
    walk = "const w = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)"
    host = json.dumps(f"@{socket.gethostname()}")
    change = f"w.currentNode.nodeValue = w.currentNode.nodeValue.replaceAll({host}, '@lab-1')"
    browser.value(f"(() => {{ {walk}; while (w.nextNode()) {change} }})()")


def _settled(browser: Browser) -> bytes:
    time.sleep(SETTLED_S)
    browser.value("document.activeElement && document.activeElement.blur()")
    return browser.picture()
