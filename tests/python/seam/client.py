"""Seam's official client for Python. It does what it is told by lines of JSON on its standard input, and answers each with a line:
{"value": ...}, or {"thrown": ...} with what is known of the exception. See tests/it/seam/sdks/sdk.rs."""

import dataclasses
import functools
import json
import sys

from seam import Seam, SeamWebhook

seam = None


def find(name):
    """The method `access_grants.create`, or nothing."""
    return functools.reduce(lambda parent, child: getattr(parent, child, None), name.split("."), seam)


def connect(endpoint, key):
    global seam
    # A machine that does much else may take longer than the client waits by itself.
    seam = Seam(api_key=key, endpoint=endpoint, wait_for_action_attempt={"timeout": 60})


def has(method):
    return callable(find(method))


def call(method, parameters=None):
    return find(method)(**(parameters or {}))


def pages(method, parameters):
    paginator = seam.create_paginator(find(method), parameters)
    page, pagination = paginator.first_page()
    found = [page]
    while pagination.has_next_page:
        page, pagination = paginator.next_page(pagination.next_page_cursor)
        found.append(page)
    return found


def run(script, scope, wanted):
    """A script with `seam` and the names of its scope; answers with the values of those that are wanted."""
    names = {"seam": seam, **scope}
    exec(script, names)
    return {name: names[name] for name in wanted}


def verify(secret, body, headers):
    return SeamWebhook(secret).verify(body, headers)


ACTIONS = {action.__name__: action for action in (connect, has, call, pages, run, verify)}


def thrown(error, parameters):
    """What an exception tells whoever catches it."""
    messages = getattr(error, "get_validation_error_messages", None)
    return {
        "class": type(error).__name__,
        "code": getattr(error, "code", None),
        "message": str(error),
        "status": getattr(error, "status_code", None),
        "requestId": getattr(error, "request_id", None),
        "data": getattr(error, "data", None),
        "actionAttempt": getattr(error, "action_attempt", None),
        "validation": messages and {name: messages(name) for name in parameters or {}},
    }


def plain(value):
    """A resource of the client as JSON has it."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


for line in sys.stdin:
    of = json.loads(line)
    action = ACTIONS[of.pop("action")]
    try:
        answer = {"value": action(**of)}
    except Exception as error:
        answer = {"thrown": thrown(error, of.get("parameters"))}
    print(json.dumps(answer, default=plain), flush=True)
