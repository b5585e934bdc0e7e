"""A client that knows nothing of the project walks through the front door."""

import json
import socket as sockets
import time
from contextlib import suppress
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed

from backend import ENDPOINTS, ask, closed, connect, eventually, http, main, player, refusal, token

URL = ENDPOINTS["websocket"]
HTTP = URL.replace("ws://", "http://")


def routes():
    with player("alice") as alice, player("bob") as bob:
        send = {"route": "sendMessage", "body": {"playerIds": ["bob", "bob", "nobody"], "message": "hi"}}
        assert ask(alice, send) == "Message(s) Sent"
        push = json.loads(bob.recv(timeout=10))
        assert (push["type"], push["senderId"], push["message"]) == ("message", "alice", "hi"), push
        assert set(push) == {"type", "messageId", "senderId", "message", "createdAt"}, push

        ack = json.loads(ask(alice, {**send, "id": "x-1"}))
        assert ack == {"type": "ack", "id": "x-1", "statusCode": 200, "body": "Message(s) Sent"}, ack
        assert ask(alice, {"route": "sendMessage", "body": {"message": "x"}}) == "Missing Params [playerIds(array)]"
        assert ask(alice, {"route": "sendMessage", "body": {"playerIds": []}}) == "Missing Params [message(string)]"
        assert ask(alice, {"route": "dance"}) == "Route [dance] Not Found"
        for nonsense in ["hello", "{", "[]", "", "{}"]:
            assert "Not Found" in ask(alice, nonsense), nonsense

        started = json.loads(ask(alice, {"route": "sessionPlacementRequest", "body": {}, "id": 7}))
        assert (started["type"], started["id"], started["statusCode"]) == ("ack", 7, 200), started
        placed = json.loads(alice.recv(timeout=10))
        assert placed["type"] == "placement" and placed["status"] == "FULFILLED", placed
        assert placed["placementId"] == started["body"]["placementId"], placed
        assert placed["ipAddress"] and placed["port"] and placed["playerSessionId"] and placed["gameSessionArn"]


def reconnect():
    """The newer connection of a player survives the end of the older one."""
    with player("carol") as carol, player("dave") as older:
        with player("dave") as newer:
            older.close()
            time.sleep(0.2)
            send = {"route": "sendMessage", "body": {"playerIds": ["dave"], "message": "still there"}}
            assert ask(carol, send) == "Message(s) Sent"
            assert json.loads(newer.recv(timeout=10))["message"] == "still there"


def header_auth():
    status, body = refusal()
    assert (status, body["message"]) == (401, "Unauthorized"), (status, body)
    assert set(body) == {"message", "connectionId", "requestId"} and len(body["connectionId"]) == 16, body
    assert refusal(headers={"X-Player-Id": ""})[0] == 401
    for path in ["/", "/Production", "/Development/more"]:
        url = URL.replace("/Development", path)
        assert refusal(url, {"X-Player-Id": "a"})[0] == 403, path
    with connect(URL + "/?a=b", additional_headers={"X-Player-Id": "a"}) as socket:
        assert "Not Found" in ask(socket, "hello")
    assert http("GET", HTTP)[0] == 426
    assert http("POST", HTTP, {})[0] == 403
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "X-Player-Id": "a"}
    assert http("GET", HTTP, headers=upgrade)[0] == 400, "no key"
    with sockets.create_connection((urlsplit(URL).hostname, urlsplit(URL).port)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nx: " + b"a" * 20_000)
        assert b" 431 " in raw.recv(4_096)


def token_auth():
    good = token("eve")
    assert refusal()[0] == 401
    assert refusal(headers={"X-Player-Id": "eve"})[0] == 401, "an id alone is no credential"
    assert refusal(headers={"Authorization": "Bearer " + good + "x"})[0] == 403
    assert refusal(headers={"Authorization": "Bearer nonsense"})[0] == 403
    assert refusal(headers={"Authorization": "Basic " + good})[0] == 403
    assert refusal(URL + "?token=nonsense")[0] == 403
    assert refusal(headers={"Authorization": "Bearer " + good, "X-Player-Id": "mallory"})[0] == 403
    for url, headers in [
        (URL, {"Authorization": "Bearer " + good}),
        (URL, {"Authorization": "Bearer " + good, "X-Player-Id": "eve"}),
        (URL + "?token=" + good, {}),
    ]:
        with connect(url, additional_headers=headers) as eve:
            ask(eve, {"route": "sendMessage", "body": {"playerIds": ["eve"], "message": "me"}})
            assert json.loads(eve.recv(timeout=10))["senderId"] == "eve"
    keys = json.loads(http("GET", ENDPOINTS["identity"] + "/.well-known/jwks.json")[2])["keys"]
    assert keys[0]["kty"] == "EC" and keys[0]["crv"] == "P-256" and "d" not in keys[0]
    many = json.loads(http("POST", ENDPOINTS["identity"] + "/tokens", {"playerIds": ["a", "b", "c"]})[2])["tokens"]
    assert len(set(many)) == 3


def provider_down():
    assert refusal(headers={"Authorization": "Bearer " + token("eve")})[0] == 500


def iam_auth():
    """Botocore's signer, both forms, with a query that has to be encoded."""
    from botocore.auth import SigV4Auth, SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    def signed(signer, secret="local"):
        request = AWSRequest("GET", HTTP, headers={"X-Player-Id": "ann"}, params={"v": "a b/é", "e": ""})
        signer(Credentials("local", secret), "execute-api", "eu-west-1").add_auth(request)
        prepared = request.prepare()
        text = lambda value: value if isinstance(value, str) else value.decode()
        return prepared.url.replace("http://", "ws://"), {name: text(value) for name, value in prepared.headers.items()}

    for signer in [SigV4Auth, SigV4QueryAuth]:
        url, headers = signed(signer)
        with connect(url, additional_headers=headers) as ann:
            ask(ann, {"route": "sendMessage", "body": {"playerIds": ["ann"], "message": "me"}})
            assert json.loads(ann.recv(timeout=10))["senderId"] == "ann"
        assert refusal(url, {**headers, "X-Player-Id": "eve"})[0] == 403
        status, body = refusal(*signed(signer, "guess"))
        assert status == 403 and body["message"].startswith("The request signature we calculated"), body
    status, body = refusal(headers={"X-Player-Id": "ann"})
    assert (status, body["message"]) == (403, "Missing Authentication Token"), body


def limits():
    with player("a") as socket:
        frame = json.dumps({"route": "x"}).ljust(32 * 1024)
        assert ask(socket, frame) == "Route [x] Not Found", "the longest frame"
        socket.send(frame + " ")
        assert closed(socket)[0] == 1009
    with player("a") as socket:
        message = json.dumps({"route": "x"}).ljust(128 * 1024)
        socket.send(message[start : start + 32 * 1024] for start in range(0, len(message), 32 * 1024))
        assert socket.recv(timeout=10) == "Route [x] Not Found", "a message may be longer than a frame"
        with suppress(ConnectionClosed):  # it may be closed before the last, empty fragment
            socket.send("a" * 30_000 for _ in range(5))
        assert closed(socket)[0] == 1009, "more than 128 KB"
    with player("a") as socket:
        socket.send(b"\x00")
        assert closed(socket)[0] == 1003
    with player("a") as socket:
        assert socket.ping().wait(10), "pings are answered"


def clocks():
    with player("idle") as idle:
        begin = time.monotonic()
        assert closed(idle) == (1001, "Going away")
        assert 0.4 < time.monotonic() - begin < 1.4
    with player("busy") as busy:
        begin, code = time.monotonic(), None
        try:
            while True:
                ask(busy, "hello")
                time.sleep(0.1)
        except Exception:
            code = busy.close_code
        assert code == 1001, "the end of its life"
        assert 1.8 < time.monotonic() - begin < 3


def slow_lambda():
    with player("a") as socket:
        frame = json.loads(ask(socket, {"route": "sendMessage", "body": {"playerIds": ["a"], "message": "x"}}))
        assert frame["message"] == "Endpoint request timed out", frame
        assert set(frame) == {"message", "connectionId", "requestId"}, frame
        assert "Not Found" in ask(socket, "hello"), "the socket stays open"


def broken_lambda():
    with player("a") as socket:
        frame = json.loads(ask(socket, {"route": "sendMessage", "body": {"playerIds": ["a"], "message": "x"}}))
        assert frame["message"] == "Internal server error", frame
        assert "Not Found" in ask(socket, "hello"), "the socket stays open"


def broken_connect():
    assert refusal(headers={"X-Player-Id": "a"})[0] == 502


def throttles():
    outcomes = []
    for number in range(12):
        try:
            with player(f"p{number}"):
                outcomes.append(101)
        except Exception as error:
            outcomes.append(error.response.status_code)
    assert outcomes[:5] == [101] * 5 and 429 in outcomes, outcomes
    time.sleep(1)
    with player("a") as socket:
        for _ in range(30):
            socket.send("hello")
        answers = [socket.recv(timeout=10) for _ in range(30)]
        assert sum("Too Many Requests" in answer for answer in answers) >= 10, answers


def concurrency():
    """Messages of one connection do not wait for each other."""
    with player("a") as socket:
        begin = time.monotonic()
        for number in range(20):
            socket.send(json.dumps({"route": "none", "id": number}))
        ids = {json.loads(socket.recv(timeout=10))["id"] for _ in range(20)}
        assert ids == set(range(20))
        assert time.monotonic() - begin < 1.5, "each takes 0.3 s"


def polling():
    base, me = ENDPOINTS["rest"] + "/placements", {"X-Player-Id": "p"}
    assert http("POST", base, {})[0] == 401
    status, _, body = http("POST", base, {}, me)
    assert status == 202, (status, body)
    place = base + "/" + json.loads(body)["placementId"]
    eventually(lambda: json.loads(http("GET", place, headers=me)[2])["status"] == "FULFILLED", "fulfilled")
    assert http("GET", place, headers={"X-Player-Id": "other"})[0] in (403, 404)
    assert http("GET", base + "/none", headers=me)[0] == 404
    assert http("POST", base.replace("Development", "Production"), {}, me)[0] == 403


main(globals())
