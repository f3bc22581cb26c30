"""Speaking to the API: one request at a time, every failure turned into one clear message."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from cli.exits import CommandError, Complaint, ExitCode
from cli.output import say
from cli.progress import waiting
from cli.target import Target

CONNECT_S = 5.0
"""An API that takes longer to accept a connection is away for a person who waits."""
ANSWER_S = 60.0
"""Above the API's own limits, so that its problem document arrives instead of our time-out."""
PAGE_SIZE = 1_000
CSV_PAGE_SIZE = 10_000
"""The most that the API gives at once; a person cannot page through CSV."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CODES = {400: ExitCode.REFUSED, 401: ExitCode.UNAUTHORIZED, 403: ExitCode.UNAUTHORIZED, 404: ExitCode.NOT_FOUND}
CODES |= {409: ExitCode.CONFLICT, 412: ExitCode.CONFLICT, 429: ExitCode.AWAY}
PASSING = (429, 502, 503, 504)
"""What may be answered otherwise in a moment."""
LIMITED_S = 120.0
"""So long in all a request waits for a limit: two of the longest usual windows."""

Lines = Iterator[str]
Rest = Callable[[float], bool]
"""Waits so many seconds; whether to go on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer in 2xx.

    Attributes:
        status: 200 to 299.
        document: the decoded JSON; None where there is none.
        etag: the entity tag, if the API sent one.
    """

    status: int
    document: Any
    etag: str | None = None


class ApiClient:
    """The API as commands use it; a context manager that closes its connections. Threads may share it.

    Every method raises `CommandError`: AWAY when the API does not answer or says that a server behind it is away,
    otherwise the code of its problem document, whose `errors` become the complaints. Whoever has asked too often is
    not refused but waits as long as the API says, `LIMITED_S` in all.
    """

    def __init__(self, target: Target, answer_s: float = ANSWER_S) -> None:
        self._target = target
        self.rest: Rest = _sleep
        self._limited_s = LIMITED_S if answer_s >= ANSWER_S else 0.0  # who has little time does not wait either
        headers = {"Authorization": f"Bearer {target.key}", "User-Agent": "chamberlog-cli"}
        if target.organization is not None:
            headers["Chamberlog-Organization"] = target.organization
        self._http = httpx.Client(
            base_url=target.url,
            headers=headers,
            timeout=httpx.Timeout(answer_s, connect=min(answer_s, CONNECT_S)),
            trust_env=urlsplit(target.url).hostname not in LOOPBACK,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def resting(self, rest: Rest) -> Self:
        """The same client, the same connections; it waits by `rest`, which answers whether to go on."""
        other = copy(self)
        other.rest = rest
        return other

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Answer:
        """GET a JSON document; empty query values are left out."""
        return self._ask(self._http.build_request("GET", path, params=_given(query)))

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a JSON document (or nothing) and read the answer."""
        return self._ask(self._http.build_request(method, path, params=_given(query), json=body, headers=headers))

    def items(self, path: str, query: Mapping[str, Any], limit: int | None = None) -> Iterator[Any]:
        """All items of a paged list, page by page, at most `limit`."""
        cursor, left = None, limit
        while left is None or left > 0:
            size = PAGE_SIZE if left is None else min(left, PAGE_SIZE)
            page = self.get(path, {**query, "limit": size, "cursor": cursor}).document
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return
            left = None if left is None else left - len(page["items"])

    def csv_pages(
        self, path: str, query: Mapping[str, Any], limit: int | None = None, page: int | None = None
    ) -> Iterator[str]:
        """A CSV document page by page, as the API's `Link` continues it; only the first page has the headings.

        Args:
            path: of the list.
            query: empty values are left out.
            limit: readings at most; None = all there are.
            page: readings of a page; None = the document has none, or `limit` says it.
        """
        left, target, is_first = limit, str(httpx.URL(path, params=_given(query))), True
        while target:
            url = httpx.URL(target)
            size = page if left is None else min(left, page or CSV_PAGE_SIZE)
            if size is not None:
                url = url.copy_set_param("limit", size)
            left = None if left is None or size is None else left - size
            text, target = self._csv_page(url)
            yield text if is_first else text.partition("\n")[2]
            is_first = False
            if left == 0:
                return

    @contextmanager
    def events(self, path: str, query: Mapping[str, Any], last_id: str | None, silence_s: float) -> Iterator[Lines]:
        """An event stream; its lines come while the body runs.

        Args:
            path: of the stream.
            query: empty values are left out.
            last_id: of the last event that was seen; the API goes on behind it where it can.
            silence_s: a stream that says nothing for so long, not even that it lives, is broken.
        """
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        request = self._http.build_request("GET", path, params=_given(query), headers=headers)
        request.extensions["timeout"] = httpx.Timeout(silence_s, connect=CONNECT_S).as_dict()
        with self._opened(request) as response:
            yield response.iter_lines()

    def _csv_page(self, url: httpx.URL) -> tuple[str, str]:
        """The page, and the address of the next one or nothing.

        An answer refers to itself, and lives until somebody looks for garbage: the text must not hang on it.
        """
        request = self._http.build_request("GET", url, headers={"Accept": "text/csv"})
        with waiting("asking the API ..."), self._opened(request) as response:
            text = b"".join(response.iter_bytes()).decode()
        return text, str(response.links.get("next", {}).get("url", ""))

    @contextmanager
    def _opened(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """An answer in 2xx whose body is still to come."""
        try:
            response = self._sent(request, stream=True)
            with closing(response):
                if not response.is_success:
                    response.read()
                    raise failure_of(response)
                yield response
        except httpx.TransportError as error:
            raise self._away(error) from None

    def _ask(self, request: httpx.Request) -> Answer:
        response = self._fetch(request)
        return Answer(response.status_code, self._decoded(response), response.headers.get("ETag"))

    def _fetch(self, request: httpx.Request) -> httpx.Response:
        try:
            with waiting("asking the API ..."):
                response = self._sent(request)
        except httpx.TransportError as error:
            raise self._away(error) from None
        if not response.is_success:
            raise failure_of(response)
        return response

    def _sent(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """The answer, whatever it is, once there is room for the request."""
        left_s = self._limited_s
        while True:
            response = self._http.send(request, stream=stream)
            wait_s = _asked_to_wait_s(response)
            if wait_s is None or wait_s > left_s:
                return response
            response.read()
            response.close()
            say(f"asked too often: the API takes more in {wait_s:g} s")
            if not self.rest(wait_s):
                return response
            left_s -= wait_s

    def _decoded(self, response: httpx.Response) -> Any:
        try:
            return response.json() if response.content else None
        except ValueError:
            remedy = f"check that {self._target.origin} names the chamberlog API"
            problem = f"{self._target.url} answered {response.status_code}, but not with JSON"
            raise CommandError(ExitCode.AWAY, Complaint("api", problem, remedy)) from None

    def _away(self, error: httpx.TransportError) -> CommandError:
        why = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
        remedy = "is it running? start it with `chamberlog up` or `chamberlog api`, or name another with --api"
        problem = f"{self._target.url} (from {self._target.origin}) does not answer: {why}"
        return CommandError(ExitCode.AWAY, Complaint("api", problem, remedy), passes=True)


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return True


def _asked_to_wait_s(response: httpx.Response) -> float | None:
    """How long whoever has asked too often has to wait; None = that is not what the answer says."""
    asked = response.headers.get("Retry-After", "")
    is_limited = response.status_code == 429 and asked.isdecimal() and asked.isascii()
    return float(asked[:9]) if is_limited else None


def failure_of(response: httpx.Response) -> CommandError:
    """Turn an answer outside 2xx into the error to show; one without a problem document is described by its status."""
    status = response.status_code
    code = CODES.get(status, ExitCode.AWAY if status >= 500 else ExitCode.REFUSED)
    problem = _problem_document(response)
    complaints = [
        Complaint(str(e.get("field") or "request"), str(e.get("problem") or ""), str(e.get("remedy") or ""))
        for e in problem.get("errors") or []
        if isinstance(e, dict)
    ]
    if not complaints:
        text = problem.get("detail") or problem.get("title") or f"answered {status} {response.reason_phrase}"
        complaints = [Complaint(_field_of(code), str(text), _remedy_of(code, response.headers.get("Retry-After")))]
    return CommandError(code, *complaints, passes=status in PASSING)


def _problem_document(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _field_of(code: ExitCode) -> str:
    return {ExitCode.UNAUTHORIZED: "api_key", ExitCode.NOT_FOUND: "id", ExitCode.AWAY: "api"}.get(code, "request")


def _remedy_of(code: ExitCode, retry_after: str | None) -> str:
    match code:
        case ExitCode.UNAUTHORIZED:
            return "give a valid key by --api-key-file, CHAMBERLOG_API_KEY or CHAMBERLOG_API_KEY_FILE"
        case ExitCode.NOT_FOUND:
            return "`chamberlog list` shows the chambers that there are"
        case ExitCode.AWAY:
            return f"try again in {retry_after} s" if retry_after else "try again later"
        case _:
            return ""


def _given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (query or {}).items() if v is not None}
