"""Reads what loadgen writes with other people's libraries, and prints what they found as JSON."""

import json
import sys

import yaml
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from junitparser import Error, Failure, JUnitXml, Skipped
from prometheus_client.openmetrics.parser import text_string_to_metric_families

LONGEST_US = 3_600_000_000


def hlog(path):
    reader = HistogramLogReader(path, HdrHistogram(1, LONGEST_US, 3))
    merged = {}
    while (interval := reader.get_next_interval_histogram()) is not None:
        tag = interval.get_tag() or ""
        # Each interval is as wide as its own values.
        merged.setdefault(tag, HdrHistogram(1, LONGEST_US, 3)).add(interval)
    reader.close()
    return {
        tag: {
            "count": found.get_total_count(),
            "p50": found.get_value_at_percentile(50),
            "p99": found.get_value_at_percentile(99),
            "max": found.get_max_value(),
        }
        for tag, found in merged.items()
    }


def openmetrics(path):
    with open(path, encoding="utf-8") as file:
        families = list(text_string_to_metric_families(file.read()))
    return [
        {"name": sample.name, "labels": sample.labels, "value": sample.value, "type": family.type, "unit": family.unit}
        for family in families
        for sample in family.samples
    ]


def junit(path):
    kinds = {Error: "error", Failure: "failure", Skipped: "skipped"}
    xml = JUnitXml.fromfile(path)
    suites = []
    for suite in xml:
        cases = [
            {"name": case.name, "results": [[kinds[type(one)], one.type, one.message] for one in case.result]}
            for case in suite
        ]
        told = {"tests": suite.tests, "failures": suite.failures, "errors": suite.errors, "skipped": suite.skipped}
        # The library counts anew, and takes no word for it.
        suite.update_statistics()
        counted = {"tests": suite.tests, "failures": suite.failures, "errors": suite.errors, "skipped": suite.skipped}
        properties = {one.name: one.value for one in suite.properties()}
        suites.append({"name": suite.name, "told": told, "counted": counted, "cases": cases, "properties": properties})
    return suites


def pipeline(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


if __name__ == "__main__":
    readers = {"hlog": hlog, "openmetrics": openmetrics, "junit": junit, "pipeline": pipeline}
    json.dump(readers[sys.argv[1]](sys.argv[2]), sys.stdout)
