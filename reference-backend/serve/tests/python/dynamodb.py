"""The stack over a DynamoDB of its own: the way of every message and placement leads through that one's tables."""

import json
import sys
import time

import boto3

from backend import ENDPOINTS, ask, eventually, main, player

TABLES = boto3.client(
    "dynamodb",
    endpoint_url=ENDPOINTS["dynamodb"],
    region_name="us-east-1",
    aws_access_key_id="local",
    aws_secret_access_key="local",
)
# Stacks over the same DynamoDB are kept apart by their game.
GAME = {"play": "played", "deployed": "played", "leave": "restarted", "find": "restarted"}[sys.argv[1]]


def name(table):
    return f"{GAME}-Development-{table}"


def record(table, **key):
    [(attribute, value)] = key.items()
    return TABLES.get_item(TableName=name(table), Key={attribute: {"S": value}}, ConsistentRead=True).get("Item")


def play():
    """Messages and placements arrive, and a player who has connected again keeps the newer record."""
    with player("alice") as alice, player("bob") as older:
        send = {"route": "sendMessage", "body": {"playerIds": ["bob", "nobody"], "message": "hi"}}
        assert ask(alice, send) == "Message(s) Sent"
        push = json.loads(older.recv(timeout=60))
        assert (push["type"], push["senderId"], push["message"]) == ("message", "alice", "hi"), push
        stored = record("Messages", messageId=push["messageId"])
        assert stored["message"] == {"S": "hi"} and stored["recipientId"] == {"S": "bob"}, stored

        first = record("Connections", playerId="bob")
        with player("bob") as newer:
            second = record("Connections", playerId="bob")
            assert second["connectionId"] != first["connectionId"], second
            assert int(second["connectedAt"]["N"]) >= int(first["connectedAt"]["N"]), second
            older.close()
            # Time enough for $disconnect to take the record away, if it did.
            time.sleep(1)
            assert record("Connections", playerId="bob") == second
            assert ask(alice, send) == "Message(s) Sent"
            assert json.loads(newer.recv(timeout=60))["message"] == "hi"
        eventually(lambda: record("Connections", playerId="bob") is None, "the record goes with its socket", 60)

        started = json.loads(ask(alice, {"route": "sessionPlacementRequest", "body": {}, "id": 7}))
        placed = json.loads(alice.recv(timeout=60))
        assert placed["status"] == "FULFILLED" and placed["placementId"] == started["body"]["placementId"], placed
        assert record("Placements", placementId=placed["placementId"])["status"] == {"S": "FULFILLED"}


def deployed():
    """The tables are those of the template."""
    for table, key, index, streamed in [
        ("Connections", "playerId", "ConnectionIdIndex", False),
        ("Messages", "messageId", "RecipientIdIndex", True),
        ("Placements", "placementId", "PlayerIdIndex", True),
    ]:
        made = TABLES.describe_table(TableName=name(table))["Table"]
        assert made["KeySchema"] == [{"AttributeName": key, "KeyType": "HASH"}], made
        assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST", made
        [projected] = made["GlobalSecondaryIndexes"]
        assert (projected["IndexName"], projected["Projection"]) == (index, {"ProjectionType": "ALL"}), made
        assert made.get("StreamSpecification", {}).get("StreamViewType") == ("NEW_IMAGE" if streamed else None), made
        ttl = TABLES.describe_time_to_live(TableName=name(table))["TimeToLiveDescription"]
        assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expireAt"}, ttl


def leave():
    """Leaves a placement behind, and a note of its id."""
    with player("carol") as carol:
        started = json.loads(ask(carol, {"route": "sessionPlacementRequest", "body": {}, "id": 1}))
        assert json.loads(carol.recv(timeout=60))["status"] == "FULFILLED"
        TABLES.put_item(
            TableName=name("Placements"),
            Item={"placementId": {"S": "kept"}, "playerId": {"S": started["body"]["placementId"]}},
        )


def find():
    """What an earlier stack has written is still there, and the next one works with it."""
    kept = record("Placements", placementId="kept")["playerId"]["S"]
    assert record("Placements", placementId=kept)["status"] == {"S": "FULFILLED"}
    deployed()
    play()


main(globals())
