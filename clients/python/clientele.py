"""The generated client, with retries: tries again what may succeed, and never does a request twice."""

import random
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from clientele_client import AuthenticatedClient
from clientele_client.api.customers import list_customers
from clientele_client.models import CustomerItem, CustomerList, ValidationError

_RETRIED = (409, 429, 503)


class RetryLater(Exception):
    """Who comes back after so many seconds may be served: longer than this client waits."""

    def __init__(self, status: int, seconds: int, message: str) -> None:
        super().__init__(f"{message} (try again in {seconds} seconds)")
        self.status = status
        self.seconds = seconds


@dataclass(frozen=True)
class Patience:
    """How often a request is sent at most, and the longest wait between, in seconds: a daily limit
    may ask for hours."""

    attempts: int = 5
    longest_wait: int = 30


class Retrying(httpx.BaseTransport):
    """Sends requests through another transport, more than once where that helps."""

    def __init__(self, transport: httpx.BaseTransport, patience: Patience = Patience()) -> None:
        self._transport = transport
        self._patience = patience

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # A reply may be lost after the request was done. By this key the service knows it again.
        if request.method == "POST":
            request.headers.setdefault("idempotency-key", str(uuid.uuid4()))
        attempt = 1
        while True:
            last = attempt >= self._patience.attempts
            try:
                response = self._transport.handle_request(request)
            except httpx.TransportError:
                if last:
                    raise
                time.sleep(_backoff(attempt))
            else:
                seconds = _retry_after(response)
                if seconds is None:
                    return response
                if last or seconds > self._patience.longest_wait:
                    raise _later(response, seconds)
                response.close()
                time.sleep(seconds + _backoff(attempt))
            attempt += 1

    def close(self) -> None:
        self._transport.close()


def connect(base_url: str, key: str, transport: httpx.BaseTransport | None = None) -> AuthenticatedClient:
    """A client for one company. The generated calls add the version of the API themselves."""
    return AuthenticatedClient(
        base_url=base_url,
        token=key,
        prefix="",
        auth_header_name="x-api-key",
        raise_on_unexpected_status=True,
        timeout=httpx.Timeout(30),
        httpx_args={"transport": transport or Retrying(httpx.HTTPTransport())},
    )


def everyone(client: AuthenticatedClient, search: str, limit: int = 1000) -> Iterator[CustomerItem]:
    """Every customer that a search finds, whatever is created or archived while it goes on."""
    cursor: str | None = ""
    while isinstance(cursor, str):
        page = list_customers.sync(client=client, search=search, limit=limit, cursor=cursor)
        if not isinstance(page, CustomerList):
            raise RuntimeError(f"no list of customers: {page}")
        yield from page.data
        cursor = page.pagination.next_cursor or None


def field_errors(reply: ValidationError) -> dict[str, str]:
    """What is wrong with each field, by its name."""
    return {error.field: error.message for error in reply.errors}


def _retry_after(response: httpx.Response) -> int | None:
    header = response.headers.get("retry-after", "")
    return int(header) if response.status_code in _RETRIED and header.isdecimal() else None


def _later(response: httpx.Response, seconds: int) -> RetryLater:
    response.read()
    response.close()
    try:
        message = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = response.reason_phrase
    return RetryLater(response.status_code, seconds, message)


def _backoff(attempt: int) -> float:
    """Seconds, doubling, with some chance in them: clients that were cut off do not all come back at once."""
    return 0.1 * 2.0 ** (attempt - 1) * (0.5 + random.random())
