"""What generated requests cannot know from the documents alone.

Schemas say what a field looks like. They cannot say that a departure lies behind an arrival, that an idempotency key is new, or
which rooms the hotel has; without these, every request would be refused for the one reason.
"""

import datetime
import itertools
import json
import os
import re

import schemathesis
from hypothesis import strategies as st
from schemathesis import graphql

TODAY = datetime.date(2026, 1, 30)
ROOMS = ("301", "302", "303")
NUMBERS = itertools.count()

# Ids of records that there are, by kind.
IDS = json.loads(os.environ.get("LATCHKEY_IDS", "{}"))
ID_FIELD = re.compile(r'\b(\w*[iI]d)(: )(?:-?\d+|"(?:[^"\\]|\\.)*")')

# Faults of the service.
FAULTS = {"INTERNAL", "OUTCOME_UNKNOWN", "DEADLINE_EXCEEDED", "UNAVAILABLE"}


def date(text):
    return datetime.date.fromisoformat(text)


def fit_dates(guest, told_before):
    """Lets the departure lie ahead, and the arrival before it and not years away.

    Of a guest who is known, one date alone may not fit the other one, which was `told_before`.
    """
    out, arrival = guest.get("checkOutDate"), guest.get("checkInDate")
    if arrival is not None and out is None:
        guest["checkInDate"] = None
    if out is not None:
        guest["checkOutDate"] = str(TODAY + datetime.timedelta(days=date(out).toordinal() % 1000))
    if out is not None and (told_before or arrival is not None):
        guest["checkInDate"] = str(date(guest["checkOutDate"]) - datetime.timedelta(days=date(out).toordinal() % 90))


def fit(guest, number, told_before=False):
    """Half of the guests go to a room that there is."""
    fit_dates(guest, told_before)
    if guest.get("roomNumber") is not None and number % 2:
        guest["roomNumber"] = ROOMS[number % len(ROOMS)]


def with_known_ids(document, operation):
    """Names records that there are, where the name of the field or of the mutation tells their kind."""

    def known(match):
        name = operation if match[1] == "id" else match[1]
        kind = next((kind for kind in sorted(IDS, key=len, reverse=True) if kind.lower() in name.lower()), None)
        return f'{match[1]}{match[2]}"{IDS[kind]}"' if kind else match[0]

    return ID_FIELD.sub(known, document)


@schemathesis.hook
def before_call(context, case, **kwargs):
    if case.meta is None:
        return
    number = next(NUMBERS)
    if isinstance(case.body, str):
        if case.meta.generation.mode.is_positive and number % 2:
            case.body = with_known_ids(case.body, case.operation.label)
        return
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and key.isascii() and key.isprintable() and key.strip():
        case.headers["Idempotency-Key"] = f"{key.strip()[:200]}-{number}"
    body = case.body
    if not case.meta.generation.mode.is_positive or not isinstance(body, dict):
        return
    if isinstance(body.get("guests"), list):
        for place, guest in enumerate(body["guests"]):
            fit(guest, number + place)
            # Of one guest in one room, two things may not be said.
            guest["pmsGuestId"] = f"{place}-{guest['pmsGuestId']}"[:64].strip()
    else:
        fit(body, number, told_before=case.operation.label.endswith("/update"))


@schemathesis.hook
def after_call(context, case, response):
    """A document that fits the schema may still ask for too much (docs/API.md), which no schema can say."""
    if b'"code":"DOCUMENT_TOO_COMPLEX"' in response.content and case.meta.generation.mode.is_positive:
        response.content = b'{"data":null}'


graphql.scalar("Date", st.dates(TODAY, TODAY + datetime.timedelta(days=1000)).map(lambda day: graphql.nodes.String(str(day))))
graphql.scalar("Datetime", st.datetimes(
    datetime.datetime(1900, 1, 2), datetime.datetime(9999, 12, 30)
).map(lambda at: graphql.nodes.String(at.isoformat() + "Z")))
graphql.scalar("LocalTime", st.times().map(lambda time: graphql.nodes.String(time.strftime("%H:%M"))))


@schemathesis.check
def no_fault(ctx, response, case):
    """A request may be refused with one of the codes of docs/ERRORS.md, and never fails."""
    assert response.status_code < 500, f"status {response.status_code}"
    errors = response.json().get("errors") or []
    codes = {error["extensions"]["code"] for error in errors}
    assert not codes & FAULTS, codes
