"""Has the executable of `sam build` answer events, behind the Runtime API of `cargo lambda watch`.

It runs as one function after another, with the variables that its template gives each: those of the layout with a Lambda per
operation, then the single one. Usage: sam_invoke.py BUILD_DIR, of template.yaml. Everything started ends with it.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

CI = Path(__file__).resolve().parent
ARN = "arn:aws:execute-api:us-east-1:000000000000:api/Staging/$connect"
SOCKET = {"connectionId": "TXzPWdnOjoECGjA=", "apiId": "api", "stage": "Staging", "connectedAt": 1, "requestTimeEpoch": 1,
          "domainName": "localhost", "identity": {}}
CONNECT = {"type": "REQUEST", "methodArn": ARN, "headers": {"Authorization": "Bearer nonsense"}, "multiValueHeaders": {},
           "queryStringParameters": {}, "requestContext": SOCKET}
UNKNOWN = {"requestContext": {**SOCKET, "routeKey": "$default", "eventType": "MESSAGE"}, "body": '{"route":"dance"}',
           "isBase64Encoded": False}
NO_RECIPIENTS = {"requestContext": {**SOCKET, "routeKey": "sendMessage", "eventType": "MESSAGE", "authorizer": {"playerId": "p"}},
                 "body": '{"route":"sendMessage","body":{"message":"text"}}', "isBase64Encoded": False}
REMOVED = {"Records": [{"eventID": "1", "eventName": "REMOVE", "awsRegion": "us-east-1", "dynamodb": {
    "ApproximateCreationDateTime": 1, "Keys": {"messageId": {"S": "m"}}, "SequenceNumber": "1", "SizeBytes": 1}}]}

# Function, event, and what must be in the answer.
CASES = [
    ("Authorizer", CONNECT, '"Effect":"Deny"'),
    ("Default", UNKNOWN, "Route [dance] Not Found"),
    ("SendMessage", NO_RECIPIENTS, "Missing Params [playerIds(array)]"),
    ("OnMessageInserted", REMOVED, '"batchItemFailures":[]'),
]
SINGLE = [("Backend", event, text) for _, event, text in CASES]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def executable_of(build):
    """`sam build` builds equal functions once, and gives each the executable: one of equal copies."""
    resources = yaml_parse((build / "template.yaml").read_text())["Resources"].values()
    folders = {each["Properties"]["CodeUri"] for each in resources if each["Type"] == "AWS::Serverless::Function"}
    copies = sorted(build / folder / "bootstrap" for folder in folders)
    if len({hashlib.sha256(copy.read_bytes()).digest() for copy in copies}) != 1:
        sys.exit(f"sam build has made different executables: {[str(copy) for copy in copies]}")
    return copies[0]


def variables(function):
    lines = subprocess.run([sys.executable, CI / "sam_facts.py", "--environment", function],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(line.split("=", 1) for line in lines)


def wait_for(port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("cargo lambda watch does not listen")


def run(executable, function, cases):
    port = str(free_port())
    home = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    watch = subprocess.Popen(["cargo", "lambda", "watch", "--only-lambda-apis", "-P", port, "-A", "127.0.0.1"],
                             cwd=CI.parent / "reference-backend/lambda", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    environment = None
    try:
        wait_for(int(port))
        aws = {"AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt", "AWS_LAMBDA_FUNCTION_NAME": "_", "AWS_REGION": "us-east-1",
               "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_ACCESS_KEY_ID": "x",
               "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
        log = tempfile.TemporaryFile("w+")
        environment = subprocess.Popen([executable], env={**home, **aws, **variables(function)},
                                       stdout=log, stderr=log)
        for name, event, text in cases:
            answer = subprocess.run(
                ["cargo", "lambda", "invoke", "-P", port, "-A", "127.0.0.1", "--data-ascii", json.dumps(event)],
                cwd=CI.parent / "reference-backend/lambda", capture_output=True, text=True, timeout=60)
            if answer.returncode != 0 or text not in answer.stdout:
                log.seek(0)
                sys.exit(f"{function}, event of {name}: no {text} in {answer.stdout!r}\n{answer.stderr}\n{log.read()}")
            print(f"{function} answers: {answer.stdout.strip()[:120]}")
    finally:
        for process in (environment, watch):
            if process is not None:
                process.kill()
                process.wait()


executable = executable_of(Path(sys.argv[1]).resolve())
for function, event, text in CASES:
    run(executable, function, [(function, event, text)])
run(executable, "Backend", SINGLE)
