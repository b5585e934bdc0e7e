"""The package `websocket-client`, both ways that it can be used."""

import json

import websocket
from backend import ENDPOINTS, main, token

URL = ENDPOINTS["websocket"]
SEND = json.dumps({"route": "sendMessage", "id": 1, "body": {"playerIds": ["eve"], "message": "hi"}})


def app():
    """`WebSocketApp`, driven by events, with pings of its own."""
    seen = {"messages": [], "pongs": 0, "close": None, "errors": []}

    def enough(app):
        if len(seen["messages"]) >= 2 and seen["pongs"] >= 2:
            app.close(status=1000)

    def on_message(app, text):
        seen["messages"].append(json.loads(text))
        enough(app)

    def on_pong(app, _):
        seen["pongs"] += 1
        enough(app)

    websocket.WebSocketApp(
        URL,
        header={"Authorization": "Bearer " + token("eve")},
        on_open=lambda app: app.send(SEND),
        on_message=on_message,
        on_pong=on_pong,
        on_error=lambda _, error: seen["errors"].append(error),
        on_close=lambda _, code, reason: seen.update(close=code),
    ).run_forever(ping_interval=0.3, ping_timeout=0.2)
    assert seen["errors"] == [], seen
    assert {message["type"] for message in seen["messages"]} == {"ack", "message"}, seen
    assert seen["close"] == 1000, seen


def connection():
    """`create_connection`, one call after the other."""
    socket = websocket.create_connection(f"{URL}/?token={token('eve')}", timeout=10)
    socket.send(json.dumps({"route": "nowhere"}))
    assert socket.recv() == "Route [nowhere] Not Found"
    socket.ping("beat")
    opcode, frame = socket.recv_data_frame(control_frame=True)
    assert (opcode, frame.data) == (websocket.ABNF.OPCODE_PONG, b"beat")
    socket.send_close(1000, b"done")
    opcode, data = socket.recv_data(control_frame=True)
    assert (opcode, int.from_bytes(data[:2], "big")) == (websocket.ABNF.OPCODE_CLOSE, 1000)
    socket.shutdown()
    try:
        websocket.create_connection(URL, timeout=10)
        raise AssertionError("no credentials")
    except websocket.WebSocketBadStatusException as error:
        assert error.status_code == 401


main(globals())
