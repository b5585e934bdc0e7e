"""The limits of what is deployed, as boto3 reads them. The values are those of `PROFILE` in it/limits.rs."""

from aws import client, code_of
from backend import main

NAME = "reference-Development-{}".format
ACCOUNT = "us-east-1:000000000000"


def functions():
    api = client("lambda")
    limit = api.get_account_settings()["AccountLimit"]
    # Nine functions reserve 5, SendMessage 12.
    assert (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]) == (400, 400 - 9 * 5 - 12), limit

    def reserved(function):
        return api.get_function_concurrency(FunctionName=NAME(function)).get("ReservedConcurrentExecutions")

    assert (reserved("SendMessage"), reserved("Connect")) == (12, 5)
    assert code_of(api.get_function_concurrency, FunctionName="other") == "ResourceNotFoundException"

    sends = api.get_function_configuration(FunctionName=NAME("SendMessage"), Qualifier="Development")
    assert (sends["Timeout"], sends["State"], sends["Architectures"]) == (3, "Active", ["x86_64"]), sends
    assert sends["MemorySize"] >= 128 and "VpcConfig" not in sends, sends
    by_arn = api.get_function_configuration(FunctionName=sends["FunctionArn"])
    assert by_arn["FunctionName"] == NAME("SendMessage"), by_arn
    pages = api.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 3})
    pages = [page["Functions"] for page in pages]
    assert [len(page) for page in pages] == [3, 3, 3, 1], pages
    assert {f["FunctionName"] for page in pages for f in page} >= {NAME("Connect"), NAME("SendMessage")}, pages
    mappings()


def mappings():
    api = client("lambda")
    both = api.list_event_source_mappings()["EventSourceMappings"]
    messages, placements = both
    alias = f"arn:aws:lambda:{ACCOUNT}:function:" + NAME("OnMessageInserted") + ":Development"
    assert messages["FunctionArn"] == alias, messages
    described = client("dynamodb").describe_table(TableName=NAME("Messages"))["Table"]
    assert messages["EventSourceArn"] == described["LatestStreamArn"], messages
    assert (messages["BatchSize"], messages["ParallelizationFactor"]) == (7, 5), messages
    assert (placements["BatchSize"], placements["ParallelizationFactor"]) == (100, 1), placements
    assert (messages["MaximumRetryAttempts"], messages["MaximumRecordAgeInSeconds"]) == (10, -1), messages
    assert messages["FunctionResponseTypes"] == ["ReportBatchItemFailures"], messages
    assert (messages["MetricsConfig"], messages["State"]) == ({"Metrics": ["EventCount"]}, "Enabled"), messages
    assert messages["UUID"] != placements["UUID"], both

    def listed(**which):
        return [found["UUID"] for found in api.list_event_source_mappings(**which)["EventSourceMappings"]]

    assert listed(EventSourceArn=placements["EventSourceArn"]) == [placements["UUID"]]
    # A mapping belongs to the alias that it invokes.
    assert listed(FunctionName=messages["FunctionArn"]) == [messages["UUID"]]
    assert listed(FunctionName=NAME("OnMessageInserted")) == []
    assert code_of(api.list_event_source_mappings, FunctionName="other") == "ResourceNotFoundException"


def single():
    api = client("lambda")
    [backend] = api.list_functions()["Functions"]
    assert backend["FunctionName"] == NAME("Backend"), backend
    assert api.get_function_concurrency(FunctionName=NAME("Backend"))["ReservedConcurrentExecutions"] == 30
    assert api.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 970
    both = api.list_event_source_mappings()["EventSourceMappings"]
    assert {mapping["FunctionArn"].split(":")[6] for mapping in both} == {NAME("Backend")}, both


def tables():
    api = client("dynamodb")

    def described(table):
        return api.describe_table(TableName=NAME(table))["Table"]

    messages, connections = described("Messages"), described("Connections")
    assert messages["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST", messages
    warm = {"Status": "ACTIVE", "ReadUnitsPerSecond": 600, "WriteUnitsPerSecond": 200}
    [index] = messages["GlobalSecondaryIndexes"]
    assert (messages["WarmThroughput"], index["WarmThroughput"]) == (warm, warm), messages
    assert connections["WarmThroughput"] == {"Status": "ACTIVE", "ReadUnitsPerSecond": 1200}, "writes have no limit"
    assert "LatestStreamArn" not in connections, connections

    streams = client("dynamodbstreams")
    listed = streams.list_streams()["Streams"]
    assert [stream["TableName"] for stream in listed] == [NAME("Messages"), NAME("Placements")], listed
    [only] = streams.list_streams(TableName=NAME("Messages"))["Streams"]
    assert only["StreamArn"] == messages["LatestStreamArn"], only
    stream = streams.describe_stream(StreamArn=only["StreamArn"])["StreamDescription"]
    opened = [shard for shard in stream["Shards"] if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
    assert (len(opened), len(stream["Shards"]), stream["StreamStatus"]) == (3, 6, "ENABLED"), stream
    # Page by page.
    found, last = [], {}
    while True:
        part = streams.describe_stream(StreamArn=only["StreamArn"], Limit=4, **last)["StreamDescription"]
        found += part["Shards"]
        if "LastEvaluatedShardId" not in part:
            break
        last = {"ExclusiveStartShardId": part["LastEvaluatedShardId"]}
    assert found == stream["Shards"], found
    other = only["StreamArn"].replace("Messages", "Connections")
    assert code_of(streams.describe_stream, StreamArn=other) == "ResourceNotFoundException"


def quotas():
    api = client("service-quotas")

    def value(service, code):
        return api.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"]

    assert value("lambda", "L-B99A9384") == 400
    gateway = {code: value("apigateway", code) for code in ["L-9ED1E49A", "L-8A5B8E43", "L-CDF5615A"]}
    assert gateway == {"L-9ED1E49A": 50, "L-8A5B8E43": 900, "L-CDF5615A": 90}, gateway
    # Writes have a limit in one table only, and none in general.
    assert value("dynamodb", "L-CF0CBE56") == 40_000
    missing = {"ServiceCode": "dynamodb", "QuotaCode": "L-AB614373"}
    assert code_of(api.get_service_quota, **missing) == "NoSuchResourceException"
    pages = api.get_paginator("list_service_quotas").paginate(
        ServiceCode="apigateway", PaginationConfig={"PageSize": 3}
    )
    pages = [page["Quotas"] for page in pages]
    assert [len(page) for page in pages] == [3, 1], pages
    assert {quota["QuotaCode"] for page in pages for quota in page} >= set(gateway), pages


def no_quotas():
    api = client("service-quotas")
    assert api.list_service_quotas(ServiceCode="apigateway")["Quotas"] == []
    missing = {"ServiceCode": "apigateway", "QuotaCode": "L-8A5B8E43"}
    assert code_of(api.get_service_quota, **missing) == "NoSuchResourceException"
    assert code_of(api.list_service_quotas, ServiceCode="s3") == "NoSuchResourceException"
    [quota] = api.list_service_quotas(ServiceCode="lambda")["Quotas"]
    assert (quota["QuotaName"], quota["Value"]) == ("Concurrent executions", 1000), quota


main(globals())
