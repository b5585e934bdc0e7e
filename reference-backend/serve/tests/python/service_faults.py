"""Latencies, limits and faults of the services behind the gateway, as a client sees them.

A delay is only ever tested from below: on a busy machine everything may take longer.
"""

import json
import time
import uuid

from aws import client, figures, of_function
from backend import ENDPOINTS, ask, connect, eventually, main, player, refusal, token

SEND = {"route": "sendMessage", "id": 1, "body": {"playerIds": ["ann"], "message": "x"}}
PLACE = {"route": "sessionPlacementRequest", "id": 1, "body": {}}


def timed(call):
    begin = time.monotonic()
    return call(), time.monotonic() - begin


def frame(socket):
    return json.loads(socket.recv(timeout=20))


def frames_by_type(socket, count):
    """The next frames and when they came, in whatever order."""
    begin, seen = time.monotonic(), {}
    for _ in range(count):
        message = frame(socket)
        seen[message["type"]] = (message, time.monotonic() - begin)
    return seen


def write(messages):
    """Records for a player who is not there, straight into the table."""
    names = ["messageId", "recipientId", "senderId", "message"]
    numbers = {"createdAt": {"N": "1"}, "expireAt": {"N": "4000000000"}}

    def put():
        item = {**{name: {"S": "nobody"} for name in names}, "messageId": {"S": str(uuid.uuid4())}, **numbers}
        return {"PutRequest": {"Item": item}}

    written = client("dynamodb").batch_write_item(
        RequestItems={"reference-Development-Messages": [put() for _ in range(messages)]}
    )
    assert written["UnprocessedItems"] == {}, written


def inserted(metric, statistic):
    return of_function(metric, statistic, "OnMessageInserted")


def cold_start():
    with player("ann") as ann:
        first = timed(lambda: ask(ann, "hello"))[1]
        later = [timed(lambda: ask(ann, "hello"))[1] for _ in range(10)]
    assert first >= 0.4 and min(later) < 0.4, (first, later)


def durations():
    with player("ann") as ann:
        for _ in range(60):
            ask(ann, "hello")
    low = figures("AWS/Lambda", "Duration", "Minimum", FunctionName="reference-Development-Default")
    high = figures("AWS/Lambda", "Duration", "Maximum", FunctionName="reference-Development-Default")
    assert min(low) < 30 and max(high) > 40, (low, high)


def reserved():
    with player("ann") as ann:
        for _ in range(3):
            ann.send(json.dumps(SEND))
        answers = [frame(ann) for _ in range(2)]
        assert all(answer["message"] == "Internal server error" for answer in answers), answers
        assert "Not Found" in ask(ann, "hello"), "other functions have their own"
        assert {frame(ann)["type"] for _ in range(2)} == {"ack", "message"}
    assert sum(of_function("Throttles", "Sum", "SendMessage")) == 2
    assert max(of_function("ConcurrentExecutions", "Maximum", "SendMessage")) == 1


def throttled():
    with player("ann") as ann:
        assert json.loads(ask(ann, SEND))["message"] == "Internal server error"
        assert "Not Found" in ask(ann, "hello")
    assert sum(of_function("Throttles", "Sum", "SendMessage")) == 1
    assert sum(of_function("Invocations", "Sum", "SendMessage")) == 0


def table_latency():
    begin = time.monotonic()
    with player("ann"):
        assert time.monotonic() - begin >= 0.4, "the record of the connection is written first"
    table = "reference-Development-Connections"
    slow = figures("AWS/DynamoDB", "SuccessfulRequestLatency", "Minimum", TableName=table, Operation="PutItem")
    assert min(slow) >= 400, slow


def table_capacity():
    api = client("dynamodb")
    item, table = {"messageId": {"S": "m"}}, "reference-Development-Messages"

    def throttled(call, **arguments):
        codes = []
        for _ in range(50):
            try:
                call(TableName=table, **arguments)
            except api.exceptions.ClientError as error:
                codes.append(error.response["Error"]["Code"])
        assert set(codes) == {"ThrottlingException"} and len(codes) < 50, codes

    throttled(api.put_item, Item=item)
    throttled(api.get_item, Key=item)
    assert sum(figures("AWS/DynamoDB", "WriteThrottleEvents", "Sum", TableName=table)) > 0
    assert sum(figures("AWS/DynamoDB", "ReadThrottleEvents", "Sum", TableName=table)) > 0
    for number in range(50):
        api.put_item(TableName="reference-Development-Connections", Item={"playerId": {"S": "same"}})


def poll_interval():
    with player("ann") as ann:
        waits = []
        for _ in range(3):
            # Sent right after a poll, so the next one is a whole interval away.
            ann.send(json.dumps(SEND))
            waits.append(frames_by_type(ann, 2)["message"][1])
    assert max(waits[1:]) >= 0.4, waits


def single_records():
    write(10)
    eventually(lambda: sum(inserted("Invocations", "Sum")) >= 10, "one call for each record")
    assert sum(inserted("Invocations", "Sum")) == 10


def full_batches():
    """The window is a minute: only a full batch is handed over before."""
    write(9)
    time.sleep(1)
    assert sum(inserted("Invocations", "Sum")) == 0
    write(1)
    eventually(lambda: sum(inserted("Invocations", "Sum")) == 1, "the tenth record fills it")


def concurrency(expected):
    write(8)
    eventually(lambda: sum(inserted("Invocations", "Sum")) == 8, "all are handed over", 60)
    busy = max(inserted("ConcurrentExecutions", "Maximum"))
    assert expected(busy), busy


def one_at_a_time():
    concurrency(lambda busy: busy == 1)


def side_by_side():
    concurrency(lambda busy: 1 < busy <= 4)


def poison():
    mappings = client("lambda").list_event_source_mappings()["EventSourceMappings"]
    dropped = {
        "EventSourceMappingUUID": next(
            mapping["UUID"] for mapping in mappings if "table/reference-Development-Messages/" in mapping["EventSourceArn"]
        )
    }
    with player("ann") as ann:
        ann.send(json.dumps(SEND))
        assert frame(ann)["type"] == "ack"
        eventually(lambda: sum(figures("AWS/Lambda", "DroppedEventCount", "Sum", **dropped)) == 1, "it is given up")
        ann.send(json.dumps(PLACE))
        seen = frames_by_type(ann, 2)
        assert set(seen) == {"ack", "placement"}, "the other stream is clean, and the message never came"


def placement_delay():
    with player("ann") as ann:
        ann.send(json.dumps(PLACE))
        seen = frames_by_type(ann, 2)
        assert seen["ack"][1] >= 0.2 and seen["placement"][1] >= 0.7, seen


def outcome(status):
    with player("ann") as ann:
        ann.send(json.dumps(PLACE))
        seen = frames_by_type(ann, 2)
        assert seen["ack"][0]["statusCode"] == 200 and seen["placement"][0]["status"] == status, seen


def placement_failed():
    outcome("FAILED")


def placement_cancelled():
    outcome("CANCELLED")


def placement_timed_out():
    outcome("TIMED_OUT")


def placement_unanswered():
    with player("ann") as ann:
        assert json.loads(ask(ann, PLACE))["statusCode"] >= 500


def placements_limited():
    with player("ann") as ann:
        for _ in range(5):
            ann.send(json.dumps(PLACE))
        acks = []
        while len(acks) < 5:
            message = frame(ann)
            acks += [message["statusCode"]] if message["type"] == "ack" else []
    assert 200 in acks and 429 in acks, acks


def delayed():
    with player("ann") as ann:
        ann.send(json.dumps(SEND))
        seen = frames_by_type(ann, 2)
        assert seen["ack"][1] >= 0.3 and seen["message"][1] >= 0.6, seen


def slow_provider():
    url = f"{ENDPOINTS['websocket']}?token={token('ann')}"
    begin = time.monotonic()
    with connect(url) as ann:
        assert time.monotonic() - begin >= 0.5
        assert "Not Found" in ask(ann, "hello")


def provider_too_slow():
    assert refusal(f"{ENDPOINTS['websocket']}?token={token('ann')}")[0] == 500
    assert sum(of_function("Errors", "Sum", "Authorizer")) == 1


main(globals())
