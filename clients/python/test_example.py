"""Against a running service: `.ci/clients` starts one."""

import os
import unittest
import uuid
from collections.abc import Callable

import httpx
from clientele import Patience, RetryLater, Retrying, connect, everyone, field_errors
from clientele_client.api.customers import list_customers, upsert_customer, upsert_customers
from clientele_client.api.keys import test_key as auth_test
from clientele_client.models import AuthTest, BatchBody, BatchReply, Customer, CustomerBody, CustomerList, ValidationError
from example import example

URL = os.environ["CLIENTELE_URL"]
KEY = os.environ["CLIENTELE_KEY"]


def unique() -> str:
    """A word that no other test's customers have."""
    return "".join(letter for letter in str(uuid.uuid4()) if letter.isalpha()) + "python"


class Meddling(httpx.BaseTransport):
    """A network that does something else with a request, told which one it is."""

    def __init__(self, meddle: Callable[[int, httpx.Request, httpx.BaseTransport], httpx.Response]) -> None:
        self.sent = 0
        self._meddle = meddle
        self._network = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        return self._meddle(self.sent, request, self._network)

    def close(self) -> None:
        self._network.close()


class Clients(unittest.TestCase):
    def test_the_example_does_what_it_says(self) -> None:
        lines: list[str] = []
        example(URL, KEY, lines.append)
        id = lines[0].split(": ")[1]
        self.assertRegex(lines.pop(3), r"^known since \d{4}-")
        self.assertEqual(
            lines,
            [
                f"created: {id}",
                f"updated by phone: {id}",
                "found: Grace in Minneapolis, vip",
                "email: Invalid email format",
                "phone: Invalid phone number: must contain at least one digit",
                f"archived: {id}",
            ],
        )

    def test_a_walk_sees_every_customer_once_over_pages(self) -> None:
        company = unique()
        names = ["Ada", "Grace", "Mary"]
        with connect(URL, KEY) as client:
            rows = [CustomerBody(first_name=name, company_name=company) for name in names]
            batch = upsert_customers.sync(client=client, body=BatchBody(customers=rows))
            assert isinstance(batch, BatchReply)
            self.assertEqual(batch.summary.created, 3)
            self.assertEqual(sorted(str(one.first_name) for one in everyone(client, company, 2)), names)
            page = list_customers.sync(client=client, search=company, limit=2, page=2, sort="-last_name")
        assert isinstance(page, CustomerList)
        told = page.pagination
        self.assertEqual((told.has_more, told.limit, told.page, told.total), (False, 2, 2, 3))

    def test_every_bad_field_is_told_by_its_name(self) -> None:
        with connect(URL, KEY) as client:
            reply = upsert_customer.sync(client=client, body=CustomerBody(email="x", notes="\0"))
        assert isinstance(reply, ValidationError)
        self.assertEqual(list(field_errors(reply)), ["email", "notes"])

    def test_a_request_whose_reply_was_lost_is_sent_again_and_not_done_again(self) -> None:
        def lose_the_first(sent: int, request: httpx.Request, network: httpx.BaseTransport) -> httpx.Response:
            response = network.handle_request(request)
            if sent == 1:
                response.close()
                raise httpx.ReadError("the connection broke before the reply")
            return response

        network = Meddling(lose_the_first)
        name = unique()
        with connect(URL, KEY, Retrying(network)) as client:
            reply = upsert_customer.sync_detailed(client=client, body=CustomerBody(last_name=name))
            self.assertEqual((network.sent, reply.status_code, reply.headers["idempotency-replayed"]), (2, 201, "true"))
            assert isinstance(reply.parsed, Customer)
            self.assertEqual([one.id for one in everyone(client, name)], [reply.parsed.id])

    def test_a_service_that_is_busy_for_a_moment_is_asked_again_after_it(self) -> None:
        def busy_twice(sent: int, request: httpx.Request, network: httpx.BaseTransport) -> httpx.Response:
            return httpx.Response(503, headers={"retry-after": "0"}) if sent < 3 else network.handle_request(request)

        network = Meddling(busy_twice)
        with connect(URL, KEY, Retrying(network)) as client:
            reply = auth_test.sync(client=client)
        assert isinstance(reply, AuthTest)
        self.assertEqual((network.sent, reply.authenticated), (3, True))

    def test_a_connection_that_never_comes_about_is_given_up_after_some_attempts(self) -> None:
        def away(sent: int, request: httpx.Request, network: httpx.BaseTransport) -> httpx.Response:
            raise httpx.ConnectError("no connection")

        network = Meddling(away)
        with connect(URL, KEY, Retrying(network, Patience(attempts=3))) as client:
            with self.assertRaises(httpx.ConnectError):
                auth_test.sync(client=client)
        self.assertEqual(network.sent, 3)

    def test_a_daily_limit_that_is_used_up_is_not_waited_for(self) -> None:
        # The key has one request a day, which whoever came first had.
        with connect(URL, os.environ["CLIENTELE_LIMITED_KEY"]) as client:
            with self.assertRaises(RetryLater) as raised:
                for _ in range(2):
                    auth_test.sync(client=client)
        later = raised.exception
        self.assertEqual(later.status, 429)
        self.assertRegex(str(later), "^Daily API key request limit of 1 exceeded")
        self.assertTrue(0 < later.seconds <= 86_400)


if __name__ == "__main__":
    unittest.main()
