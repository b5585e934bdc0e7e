"""The reports of invocations in CloudWatch Logs, as boto3 reads them. The profile is that of it/limits.rs."""

import json
import re
import time

from aws import client, code_of, figures
from backend import ask, eventually, main, player

GROUP = "/aws/lambda/reference-Development-Default"
REPORT = re.compile(
    r"REPORT RequestId: (\S+)\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\tMemory Size: 256 MB\t"
    r"Max Memory Used: 40 MB\t(?:Init Duration: (\d+\.\d\d) ms\t)?\n"
)
FIELDS = "@timestamp, @requestId, @duration, @billedDuration, @initDuration, @maxMemoryUsed, @memorySize"


def invoke(times):
    with player("ann") as ann:
        for _ in range(times):
            ask(ann, "hello")


def events(pattern, **more):
    """All events, page by page."""
    api, found = client("logs"), []
    while True:
        page = api.filter_log_events(logGroupName=GROUP, filterPattern=pattern, limit=2, **more)
        found += page["events"]
        if "nextToken" not in page:
            return found
        more["nextToken"] = page["nextToken"]


def queried(text):
    api, now = client("logs"), int(time.time())
    started = api.start_query(logGroupName=GROUP, startTime=now - 300, endTime=now + 60, queryString=text)
    states = []

    def done():
        nonlocal answer
        answer = api.get_query_results(queryId=started["queryId"])
        states.append(answer["status"])
        return answer["status"] == "Complete"

    answer = None
    eventually(done, "the query ends")
    assert states == ["Running", "Complete"], states
    rows = [{field["field"]: field["value"] for field in row} for row in answer["results"]]
    return rows, answer["statistics"]


def text():
    started = time.time()
    invoke(5)
    found = events("REPORT")
    assert len(found) == 5, found
    reports = [REPORT.fullmatch(event["message"]).groups() for event in found]
    assert len({identity for identity, *_ in reports}) == 5, reports
    (_, first, billed, init), *warm = reports
    assert float(init) >= 20 and int(billed) >= float(first) + float(init), "a cold start is billed"
    assert all(float(duration) >= 30 and init is None for _, duration, _, init in warm), reports
    # Written at the end of the invocation.
    for event, (_, duration, _, _) in zip(found, reports):
        assert event["timestamp"] / 1000 - float(duration) / 1000 > started - 0.002, event
    assert events("REPORT", endTime=int(started * 1000) - 1) == []
    assert events("END") == []

    rows, statistics = queried(f'filter @type = "REPORT" | fields {FIELDS} | sort @timestamp asc | limit 10000')
    assert [row["@requestId"] for row in rows] == [identity for identity, *_ in reports], rows
    assert rows[0]["@initDuration"] == init and "@initDuration" not in rows[1], rows
    assert (rows[0]["@memorySize"], rows[0]["@maxMemoryUsed"]) == ("256000000", "40000000"), rows
    assert statistics["bytesScanned"] == sum(len(event["message"]) for event in found), statistics
    [group] = client("logs").describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert group["storedBytes"] == statistics["bytesScanned"] + 5 * 26, group
    assert sum(figures("AWS/Logs", "IncomingBytes", "Sum", LogGroupName=GROUP)) == group["storedBytes"]
    assert code_of(queried, text="stats count(*) by bin(1s)") == "MalformedQueryException"
    assert code_of(events, pattern="%REPORT%") == "InvalidParameterException"


def as_json():
    name = {"FunctionName": "reference-Development-Default"}
    assert client("lambda").get_function_configuration(**name)["LoggingConfig"]["LogFormat"] == "JSON"
    invoke(3)
    found = [json.loads(event["message"]) for event in events('{ $.type = "platform.report" }')]
    assert [report["record"]["status"] for report in found] == ["success"] * 3, found
    metrics = [report["record"]["metrics"] for report in found]
    assert metrics[0]["initDurationMs"] >= 20 and "initDurationMs" not in metrics[1], metrics
    assert metrics[1]["durationMs"] >= 30 and metrics[1]["maxMemoryUsedMB"] == 40, metrics
    fields = "record.requestId, record.metrics.durationMs"
    rows, _ = queried(f'filter type = "platform.report" | fields @timestamp, {fields} | sort @timestamp asc')
    assert [row["record.requestId"] for row in rows] == [report["record"]["requestId"] for report in found], rows


def off():
    invoke(1)
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert code_of(events, pattern="REPORT") == "ResourceNotFoundException"


main(globals())
