"""boto3 against the control plane."""

from datetime import datetime, timedelta, timezone

import boto3
from backend import ENDPOINTS
from botocore.config import Config
from botocore.exceptions import ClientError


def client(service):
    return boto3.client(
        service,
        # One address answers all services.
        endpoint_url=ENDPOINTS.get(service, ENDPOINTS["cloudwatch"]),
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"max_attempts": 0}),
    )


def code_of(call, **arguments):
    """Error code of a call that must fail."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError("the call should have failed")


def figures(namespace, metric, statistic, period=1, **dimensions):
    """The datapoints of the last minutes."""
    dimensions = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    which = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
    now = datetime.now(timezone.utc)
    return client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": which, "Period": period, "Stat": statistic}}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
    )["MetricDataResults"][0]["Values"]


def of_function(metric, statistic, function):
    return figures("AWS/Lambda", metric, statistic, FunctionName=f"reference-Development-{function}")
