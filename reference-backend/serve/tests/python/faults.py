"""Faults are injected as the profile says, and counted exactly."""

import json
import time

from urllib.parse import quote

from backend import ENDPOINTS, ask, closed, eventually, faults, http, main, player

COUNT = 400


def pushes():
    """Pushed one after the other over the Management API, so that nothing but a fault changes their order."""
    received, garbage = [], 0
    with player("a") as socket:
        answer = ask(socket, {"route": "sendMessage", "body": {"playerIds": ["a"], "message": "x"}})
        if "connectionId" not in answer:
            garbage, answer = 1, socket.recv(timeout=10)
        url = f"{ENDPOINTS['management']}/@connections/{quote(json.loads(answer)['connectionId'])}"
        for number in range(COUNT):
            assert http("POST", url, {"number": number})[0] == 200
        try:
            while True:
                try:
                    received.append(json.loads(socket.recv(timeout=1.5))["number"])
                except ValueError:
                    garbage += 1
        except TimeoutError:
            pass
    counts = faults()
    lost = COUNT - len(set(received))
    duplicated = len(received) - len(set(received))
    assert lost == counts["pushes_dropped"] > 0, (lost, counts)
    assert duplicated == counts["pushes_duplicated"] > 0, (duplicated, counts)
    once = list(dict.fromkeys(received))
    inversions = sum(later < earlier for earlier, later in zip(once, once[1:]))
    assert inversions == counts["pushes_reordered"] > 0, (inversions, counts)
    assert garbage == counts["garbage_frames"] > 0, (garbage, counts)


def handshakes():
    rejected = 0
    for _ in range(100):
        try:
            with player("a"):
                pass
        except Exception as error:
            assert error.response.status_code == 503
            rejected += 1
    assert rejected == faults()["handshakes_rejected"] > 0


def cuts():
    with player("a") as socket:
        begin = time.monotonic()
        assert closed(socket) is None, "no close frame"
        assert 0.2 < time.monotonic() - begin < 2
    eventually(lambda: faults()["connections_cut"] == 1, "counted")


main(globals())
