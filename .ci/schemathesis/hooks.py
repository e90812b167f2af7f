"""What the contract says and JSON Schema cannot: each rule is as narrow as its reason."""

import itertools
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
import schemathesis

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())

# Valid by the document, and refused in just these words:
RULES = [
    # the syntax of addresses is not quite that of `format: email`;
    ("email", "Invalid email format"),
    # a phone has a digit, of any script, unless it is blank;
    ("phone", "Invalid phone number: must contain at least one digit"),
    # cursors are opaque;
    ("cursor", "Must be the next_cursor of an earlier reply"),
    ("cursor", "Was made for another sort"),
    # parameters that do not go together;
    ("page", "Must be 1 where there is a cursor"),
    # tags are counted with those that the customer has;
    ("tags|add", "Must be at most 100 tags"),
    # and card numbers are told by Luhn's check.
    (".*", r"Must not contain a card number\. Send the payment provider's token\."),
]

# What Unicode calls white space; to Python some control characters are, too.
WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

IDEMPOTENCY_KEY = "idempotency-key"
numbers = itertools.count(1)


@schemathesis.hook
def map_case(context, case):
    """Gives each request a name of its own: all but the first of one name would not be done."""
    name = (case.headers or {}).get(IDEMPOTENCY_KEY)
    if isinstance(name, str) and is_valid({"$ref": f"#/components/parameters/{IDEMPOTENCY_KEY}/schema"}, name):
        case.headers[IDEMPOTENCY_KEY] = f"request {next(numbers)}"
    return case


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps all failures but those that the contract asks for."""
    if failure.code == "ST202":
        return not refused_by_rule(response)
    if failure.code == "ST201":
        return not (accepted_when_tidied(case, response) or refused_in_batch(response))
    return True


def refused_by_rule(response):
    try:
        reply = response.json()
    except ValueError:
        return False
    # The document's example of a name, which all examples have.
    if response.status_code == 422 and reply.get("error_code") == "IDEMPOTENCY_KEY_REUSED":
        return True
    errors = reply.get("errors", [])
    return bool(errors) and all(
        any(
            re.fullmatch(field, error["field"], re.DOTALL) and re.fullmatch(words, error["message"])
            for field, words in RULES
        )
        for error in errors
    )


def accepted_when_tidied(case, response):
    """Strings are trimmed, blank ones count as absent, and repeated tags as one: what is valid then is valid."""
    described = DOCUMENT["paths"][case.path][case.method.lower()]
    body = described.get("requestBody")
    if body is not None:
        schema = body["content"]["application/json"]["schema"]
        if not is_valid(schema, tidied(case.body)):
            return False
    # As it was sent, whatever it was made of.
    sent = parse_qsl(urlsplit(response.request.url).query, keep_blank_values=True)
    for parameter in map(resolved, described.get("parameters", [])):
        values = [value.strip(WHITE) for name, value in sent if parameter["in"] == "query" and name == parameter["name"]]
        if any(values) and not is_valid(parameter["schema"], read(values, parameter["schema"])):
            return False
    return True


def tidied(value):
    if isinstance(value, str):
        return value.strip(WHITE)
    if isinstance(value, dict):
        return {name: tidied(inner) for name, inner in value.items() if not is_blank(inner)}
    if isinstance(value, list):
        items = [tidied(inner) for inner in value]
        return [item for n, item in enumerate(items) if not isinstance(item, str) or item and item not in items[:n]]
    return value


def read(values, schema):
    """Of several values the last counts; of lists, all."""
    kind = schema.get("type")
    if kind == "array":
        items = [item.strip(WHITE) for value in values for item in value.split(",")]
        return list(dict.fromkeys(filter(None, items)))
    if kind == "integer" and re.fullmatch(r"[+-]?\d+", values[-1]):
        return int(values[-1])
    if kind == "boolean":
        return {"true": True, "false": False}.get(values[-1], values[-1])
    return values[-1]


def refused_in_batch(response):
    """A batch with a bad row is done, and says so of the row."""
    try:
        return response.json()["summary"]["refused"] > 0
    except (ValueError, KeyError, TypeError):
        return False


def is_blank(value):
    return isinstance(value, str) and not value.strip(WHITE)


def is_valid(schema, value):
    schema = {"allOf": [schema], "components": DOCUMENT["components"]}
    return jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(value)


def resolved(parameter):
    name = parameter["$ref"].rsplit("/", 1)[1]
    return DOCUMENT["components"]["parameters"][name]
