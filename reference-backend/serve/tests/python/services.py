"""The AWS services of the control plane as boto3 sees them."""

import json
from datetime import datetime, timedelta, timezone

import boto3
from aws import client, code_of
from backend import ENDPOINTS, ask, eventually, main, player


def placement(identity, **more):
    return {
        "PlacementId": identity,
        "GameSessionQueueName": "reference-Development-Queue",
        "MaximumPlayerSessionCount": 4,
        **more,
    }


def gamelift():
    api = client("gamelift")
    latency = {"PlayerId": "ann", "RegionIdentifier": "eu-west-1", "LatencyInMilliseconds": 20}
    started = api.start_game_session_placement(
        **placement("p-1", DesiredPlayerSessions=[{"PlayerId": "ann"}], PlayerLatencies=[latency])
    )["GameSessionPlacement"]
    assert (started["Status"], started["PlacementId"]) == ("PENDING", "p-1"), started
    assert abs(started["StartTime"] - datetime.now(timezone.utc)) < timedelta(minutes=1), started

    def described():
        return api.describe_game_session_placement(PlacementId="p-1")["GameSessionPlacement"]

    eventually(lambda: described()["Status"] != "PENDING", "it ends")
    ended = described()
    assert ended["Status"] == "FULFILLED" and isinstance(ended["Port"], int), ended
    assert ended["PlacedPlayerSessions"][0]["PlayerId"] == "ann", ended
    assert ended["PlayerLatencies"] == [latency], ended

    api.start_game_session_placement(**placement("p-2"))
    stopped = api.stop_game_session_placement(PlacementId="p-2")["GameSessionPlacement"]
    assert stopped["Status"] == "CANCELLED", stopped


def gamelift_refusals():
    api = client("gamelift")
    start = api.start_game_session_placement
    start(**placement("p-1"))
    assert code_of(start, **placement("p-1")) == "InvalidRequestException"
    assert code_of(start, **placement("p-2", GameSessionQueueName="other")) == "NotFoundException"
    assert code_of(api.describe_game_session_placement, PlacementId="none") == "NotFoundException"
    start(**placement("p-3"))
    assert code_of(start, **placement("p-4")) == "ThrottlingException"


def cloudwatch():
    api = client("cloudwatch")
    with player("ann") as ann:
        ask(ann, "hello")
    function = [{"Name": "FunctionName", "Value": "reference-Development-Default"}]
    pages = api.get_paginator("list_metrics").paginate(Namespace="AWS/Lambda", Dimensions=function)
    names = {metric["MetricName"] for page in pages for metric in page["Metrics"]}
    assert {"Invocations", "Duration"} <= names, names

    def sums(**more):
        metric = {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": function}
        now = datetime.now(timezone.utc)
        return api.get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, **more}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=1),
        )["MetricDataResults"][0]

    read = sums(Label="calls")
    assert (read["Label"], sum(read["Values"]), read["StatusCode"]) == ("calls", 1, "Complete"), read
    assert read["Timestamps"][0].second == 0, read
    assert code_of(sums, Id="Wrong") == "ValidationError"
    assert code_of(api.list_dashboards) == "InvalidAction"


CONNECTIONS, MESSAGES = "reference-Development-Connections", "reference-Development-Messages"


def dynamodb():
    """Client and resource; what they write is what the stack's functions see."""
    api = client("dynamodb")
    assert CONNECTIONS in api.list_tables()["TableNames"]
    assert api.describe_table(TableName=MESSAGES)["Table"]["StreamSpecification"]["StreamEnabled"]
    with player("ann") as ann:
        found = api.get_item(TableName=CONNECTIONS, Key={"playerId": {"S": "ann"}}, ConsistentRead=True)["Item"]
        connection = found["connectionId"]["S"]
        by_index = api.query(
            TableName=CONNECTIONS,
            IndexName="ConnectionIdIndex",
            KeyConditionExpression="#c = :c",
            ExpressionAttributeNames={"#c": "connectionId"},
            ExpressionAttributeValues={":c": {"S": connection}},
        )
        assert by_index["Items"] == [found] and by_index["Count"] == 1, by_index
        message = {
            "messageId": {"S": "m-1"},
            "recipientId": {"S": "ann"},
            "senderId": {"S": "boto3"},
            "message": {"S": "hi"},
            "createdAt": {"N": "1"},
            "expireAt": {"N": "4000000000"},
        }
        put = {"TableName": MESSAGES, "Item": message, "ConditionExpression": "attribute_not_exists(messageId)"}
        api.put_item(**put)
        assert json.loads(ann.recv(timeout=10))["senderId"] == "boto3", "the stream has seen it"
        assert code_of(api.put_item, **put) == "ConditionalCheckFailedException"
    eventually(
        lambda: "Item" not in api.get_item(TableName=CONNECTIONS, Key={"playerId": {"S": "ann"}}),
        "$disconnect deletes the record",
    )
    high_level()


def high_level():
    from boto3.dynamodb.conditions import Attr, Key

    resource = boto3.resource(
        "dynamodb",
        endpoint_url=ENDPOINTS["dynamodb"],
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    table = resource.Table(CONNECTIONS)
    assert table.table_status == "ACTIVE" and table.key_schema[0]["AttributeName"] == "playerId"
    with table.batch_writer() as batch:
        for number in range(60):
            batch.put_item(Item={"playerId": f"p{number}", "connectionId": "same", "connectedAt": number, "b": b"x"})
    items = table.query(IndexName="ConnectionIdIndex", KeyConditionExpression=Key("connectionId").eq("same"))["Items"]
    assert len(items) == 60 and items[0]["b"].value == b"x", items[:1]
    assert table.query(KeyConditionExpression=Key("playerId").eq("p7"))["Items"][0]["connectedAt"] == 7
    keys = [{"playerId": f"p{number}"} for number in range(0, 120, 2)]
    got = resource.batch_get_item(RequestItems={CONNECTIONS: {"Keys": keys}})
    assert len(got["Responses"][CONNECTIONS]) == 30 and got["UnprocessedKeys"] == {}, got

    newer = Attr("playerId").not_exists() | Attr("connectedAt").lte(7)
    table.put_item(Item={"playerId": "p7", "connectedAt": 8}, ConditionExpression=newer)
    assert code_of(table.put_item, Item={"playerId": "p7"}, ConditionExpression=newer) == "ConditionalCheckFailedException"
    other = Attr("connectionId").eq("other")
    assert code_of(table.delete_item, Key={"playerId": "p8"}, ConditionExpression=other) == "ConditionalCheckFailedException"
    table.delete_item(Key={"playerId": "p8"}, ConditionExpression=Attr("connectionId").eq("same"))
    assert "Item" not in table.get_item(Key={"playerId": "p8"})
    with table.batch_writer() as batch:
        for number in range(60):
            batch.delete_item(Key={"playerId": f"p{number}"})
    assert table.query(KeyConditionExpression=Key("playerId").eq("p9"))["Items"] == []

    for call, arguments in [
        (table.put_item, {"Item": {"playerId": "a"}, "ConditionExpression": Attr("connectedAt").between(1, 2)}),
        (table.get_item, {"Key": {"playerId": "a"}, "ProjectionExpression": "stage"}),
        (table.get_item, {"Key": {"connectionId": "a"}}),
    ]:
        assert code_of(call, **arguments) == "ValidationException"
    assert code_of(table.scan) == "UnknownOperationException"
    assert code_of(resource.Table("none").get_item, Key={"playerId": "a"}) == "ResourceNotFoundException"


def dynamodb_throttles():
    api = client("dynamodb")
    key = {"playerId": {"S": "a"}}
    assert code_of(api.put_item, TableName=CONNECTIONS, Item=key) == "ThrottlingException"
    assert code_of(api.get_item, TableName=CONNECTIONS, Key=key) == "ThrottlingException"
    keys = [{"playerId": {"S": f"p{number}"}} for number in range(25)]
    left = {"RequestItems": {CONNECTIONS: [{"PutRequest": {"Item": key}} for key in keys]}}
    left = api.batch_write_item(**left)["UnprocessedItems"][CONNECTIONS]
    assert 0 < len(left) < 25 and "Item" in left[0]["PutRequest"], left
    left = api.batch_get_item(RequestItems={CONNECTIONS: {"Keys": keys}})["UnprocessedKeys"][CONNECTIONS]["Keys"]
    assert 0 < len(left) < 25 and left[0]["playerId"]["S"].startswith("p"), left


main(globals())
