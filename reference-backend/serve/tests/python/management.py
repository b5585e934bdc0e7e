"""The Management API as boto3 sees it."""

import json
import time

import boto3
from backend import ENDPOINTS, ask, closed, http, main, player
from botocore.config import Config

API = boto3.client(
    "apigatewaymanagementapi",
    endpoint_url=ENDPOINTS["management"],
    region_name="us-east-1",
    aws_access_key_id="local",
    aws_secret_access_key="local",
    config=Config(retries={"max_attempts": 0}),
)


def connection_id(socket):
    """A client learns its id from an error frame only, so one is provoked."""
    return json.loads(ask(socket, {"route": "sendMessage", "body": {"playerIds": ["a"], "message": "x"}}))[
        "connectionId"
    ]


def code_of(call, **arguments):
    try:
        call(**arguments)
    except API.exceptions.ClientError as error:
        response = error.response
        return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]
    raise AssertionError("the call should have failed")


def management():
    with player("a", user_agent_header="walker/1") as socket:
        connection = connection_id(socket)
        API.post_to_connection(ConnectionId=connection, Data=b'{"hello": "w\xc3\xb6rld"}')
        assert json.loads(socket.recv(timeout=10)) == {"hello": "wörld"}
        API.post_to_connection(ConnectionId=connection, Data=b"x" * 131_072)
        assert len(socket.recv(timeout=10)) == 131_072
        assert code_of(API.post_to_connection, ConnectionId=connection, Data=b"x" * 131_073) == (
            413,
            "PayloadTooLargeException",
        )
        info = API.get_connection(ConnectionId=connection)
        assert info["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "walker/1"}, info
        assert info["ConnectedAt"] <= info["LastActiveAt"]
        API.delete_connection(ConnectionId=connection)
        assert closed(socket)[0] == 1000
    for call, more in [
        (API.post_to_connection, {"Data": b"x"}),
        (API.get_connection, {}),
        (API.delete_connection, {}),
    ]:
        assert code_of(call, ConnectionId=connection, **more) == (410, "GoneException")
        assert code_of(call, ConnectionId="short", **more) == (400, "BadRequestException")
    other = ENDPOINTS["management"].replace("Development", "Production")
    status, headers, _ = http("GET", f"{other}/@connections/{connection}")
    assert (status, headers["x-amzn-errortype"]) == (403, "ForbiddenException")


def slow_client():
    """Pushes to a client that does not read end in 429, and its memory stays bounded."""
    with player("a", max_queue=1, close_timeout=0.2) as socket:
        connection = connection_id(socket)
        begin, outcome = time.monotonic(), None
        while outcome is None and time.monotonic() - begin < 20:
            try:
                API.post_to_connection(ConnectionId=connection, Data=b"x" * 120_000)
            except API.exceptions.LimitExceededException:
                outcome = 429
        assert outcome == 429


main(globals())
