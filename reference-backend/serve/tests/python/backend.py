"""What the foreign clients share: endpoints, HTTP, sockets."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

ENDPOINTS = json.loads(os.environ["ENDPOINTS"])


def http(method, url, body=None, headers=None):
    """Status, headers and body of one request, whatever the status."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {**({"content-type": "application/json"} if data else {}), **(headers or {})}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def token(player):
    return json.loads(http("POST", ENDPOINTS["identity"] + "/token", {"playerId": player})[2])["token"]


def faults():
    return json.loads(http("GET", ENDPOINTS["management"].rsplit("/", 1)[0] + "/faults")[2])


@contextmanager
def player(name, **options):
    """An open socket of a player whose id is believed."""
    with connect(ENDPOINTS["websocket"], additional_headers={"X-Player-Id": name}, **options) as socket:
        yield socket


def refusal(url=None, headers=None):
    """Status and JSON body of a handshake that must fail."""
    try:
        with connect(url or ENDPOINTS["websocket"], additional_headers=headers or {}):
            raise AssertionError("the handshake should have been refused")
    except InvalidStatus as error:
        return error.response.status_code, json.loads(error.response.body or b"null")


def ask(socket, frame):
    socket.send(frame if isinstance(frame, str) else json.dumps(frame))
    return socket.recv(timeout=10)


def closed(socket):
    """Code and reason with which the server closes the socket."""
    try:
        while True:
            socket.recv(timeout=10)
    except ConnectionClosed as error:
        return (error.rcvd.code, error.rcvd.reason) if error.rcvd else None


def eventually(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def main(cases):
    cases[sys.argv[1]]()
