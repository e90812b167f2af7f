"""What an integrator does, one after the other: CLIENTELE_URL and CLIENTELE_KEY say where and as whom."""

import os
import random
from collections.abc import Callable

from clientele import connect, everyone, field_errors
from clientele_client.api.customers import upsert_customer
from clientele_client.api.one_customer import archive_customer, get_customer
from clientele_client.models import Address, Customer, CustomerBody, CustomerItemReply, ValidationError


def example(url: str, key: str, log: Callable[[str], None]) -> None:
    client = connect(url, key)

    phone = f"+1 763-555-{random.randrange(10_000):04}"
    body = CustomerBody(first_name="Grace", last_name="Hopper", phone=phone, tags=["vip"])
    saved = upsert_customer.sync_detailed(client=client, body=body)
    if not isinstance(saved.parsed, Customer):
        raise RuntimeError(f"not saved: {saved.parsed}")
    id = saved.parsed.id
    log(f"{saved.headers['clientele-outcome']}: {id}")

    # The same phone, written in another way, is the same customer.
    body = CustomerBody(phone=phone.replace("-", "."), property_city="Minneapolis")
    again = upsert_customer.sync_detailed(client=client, body=body)
    if not isinstance(again.parsed, Customer):
        raise RuntimeError(f"not saved: {again.parsed}")
    log(f"{again.headers['clientele-outcome']} by {again.headers['clientele-matched-by']}: {again.parsed.id}")

    for customer in everyone(client, f"hopper {phone[-8:]}"):
        city = customer.address.city if isinstance(customer.address, Address) else "nowhere"
        log(f"found: {customer.first_name} in {city}, {', '.join(customer.tags or [])}")

    one = get_customer.sync(id, client=client)
    if isinstance(one, CustomerItemReply):
        log(f"known since {one.data.created_at:%Y-%m-%d}")

    refused = upsert_customer.sync(client=client, body=CustomerBody(email="grace@", phone="none"))
    if isinstance(refused, ValidationError):
        for field, message in field_errors(refused).items():
            log(f"{field}: {message}")

    archived = archive_customer.sync(id, client=client)
    if isinstance(archived, CustomerItemReply):
        log(f"archived: {archived.data.id}")


if __name__ == "__main__":
    example(os.environ["CLIENTELE_URL"], os.environ["CLIENTELE_KEY"], print)
