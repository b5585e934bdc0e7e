"""Facts of the SAM templates that linters do not see: who may do what, what wakes whom, what happens to failures.

Both templates are expanded as CloudFormation expands them; needs neither credentials nor network. Exits with 1 and one
line per mistake. With `--environment FUNCTION` it prints that function's variables (NAME=VALUE) with the parameters of
a deployment instead, for a program that starts its executable with them.
"""

import json
import logging
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

# It would complain that nobody collects its metrics.
logging.getLogger("samtranslator.metrics.metrics").setLevel(logging.ERROR)

ROOT = Path(__file__).resolve().parent.parent / "reference-backend"
GUIDE = ROOT.parent / "docs/deploy.md"
PER_OPERATION, SINGLE = "template.yaml", "template-single.yaml"
PARAMETERS = {"Game": "pong", "Stage": "Staging", "AuthMode": "token", "JwksUrl": "https://id.example/keys",
              "TokenIssuer": "https://id.example", "TokenAudience": "pong", "SteamAppId": "480", "SteamKeySecret": "pong/steam"}
# The one secret: a reference that CloudFormation resolves, never a value.
STEAM_KEY = "{{resolve:secretsmanager:pong/steam:SecretString}}"
# Without an authorizer these read who has signed.
READS_SIGNED = {"Connect", "PlacementsRest"}

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
STREAM = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}
PUSH = {"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "execute-api:ManageConnections", "sqs:SendMessage"} | STREAM
START = {"dynamodb:PutItem", "dynamodb:DeleteItem", "gamelift:StartGameSessionPlacement"}
# What each function may do, completely, besides writing its own log.
ALLOWED = {
    "Authorizer": set(),
    "Connect": {"dynamodb:PutItem"},
    "Disconnect": {"dynamodb:Query", "dynamodb:DeleteItem"},
    "Default": set(),
    "SendMessage": {"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"},
    "SessionPlacementRequest": START,
    "OnMessageInserted": PUSH,
    "OnPlacementEvent": {"dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessage"},
    "OnPlacementUpdated": PUSH,
    "PlacementsRest": START | {"dynamodb:GetItem"},
}
# These look the sender up where no authorizer has named them.
WITH_IAM = {"SendMessage": {"dynamodb:Query"}, "SessionPlacementRequest": {"dynamodb:Query"}}
TABLES = {"Connections": ("playerId", "connectionId", "ConnectionIdIndex", False),
          "Messages": ("messageId", "recipientId", "RecipientIdIndex", True),
          "Placements": ("placementId", "playerId", "PlayerIdIndex", True)}
ROUTES = {"$connect": ("Connect", False), "$disconnect": ("Disconnect", False), "$default": ("Default", True),
          "sendMessage": ("SendMessage", True), "sessionPlacementRequest": ("SessionPlacementRequest", True)}
MAPPINGS = {"OnMessageInserted": ("MessagesTable", ["INSERT"]),
            "OnPlacementUpdated": ("PlacementsTable", ["INSERT", "MODIFY"])}

mistakes = []


def check(right, what):
    if not right:
        mistakes.append(what)


def source(name):
    return yaml_parse((ROOT / name).read_text())


def expanded(name, **parameters):
    template = source(name)
    # `sam package` puts the place of the uploaded code there.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/code"
    return Translator({}, Parser()).translate(template, {**PARAMETERS, **parameters})["Resources"]


def resolve(value, conditions, parameters):
    """Intrinsic functions that depend on parameters alone; others stay as they are."""
    if isinstance(value, list):
        return [item for item in (resolve(item, conditions, parameters) for item in value) if item is not None]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        name = value["Ref"]
        return None if name == "AWS::NoValue" else parameters.get(name, name)
    if set(value) == {"Fn::If"}:
        condition, yes, no = value["Fn::If"]
        return resolve(yes if holds(condition, conditions, parameters) else no, conditions, parameters)
    if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return re.sub(r"\$\{(\w+)\}", lambda m: str(parameters.get(m[1], m[0])), value["Fn::Sub"])
    resolved = {key: resolve(item, conditions, parameters) for key, item in value.items()}
    return {key: item for key, item in resolved.items() if item is not None}


def holds(name, conditions, parameters):
    def of(condition):
        (kind, operands), = condition.items()
        if kind == "Condition":
            return of(conditions[operands])
        if kind == "Fn::Equals":
            # Numbers, too, are compared as texts.
            left, right = (str(resolve(operand, conditions, parameters)) for operand in operands)
            return left == right
        values = [of(operand) for operand in operands]
        return {"Fn::Not": lambda: not values[0], "Fn::And": lambda: all(values), "Fn::Or": lambda: any(values)}[kind]()
    return of(conditions[name])


def parameters_of(template, **given):
    defaults = {name: spec.get("Default", "") for name, spec in template["Parameters"].items()}
    return {**defaults, **PARAMETERS, **given}


def alias_of(value, lambda_name):
    """Whether a value names the alias of a function, alone or inside a Sub."""
    return f"{lambda_name}FunctionAlias" in json.dumps(value)


def resources_with(name, **given):
    """The resources as CloudFormation makes them with these parameters."""
    template = source(name)
    return resolve(expanded(name, **given), template["Conditions"], parameters_of(template, **given))


def check_template(name, lambda_of):
    resources = {auth: resources_with(name, AuthMode=auth) for auth in ("token", "steam", "iam")}
    found = resources["token"]

    def say(what):
        return f"{name}: {what}"

    def of_type(kind, among=found):
        return {key: resource["Properties"] for key, resource in among.items() if resource["Type"] == kind}

    lambdas = {lambda_of(function) for function in ALLOWED}
    check({key.removesuffix("Function") for key in of_type("AWS::Lambda::Function")} == lambdas, say("functions"))
    for auth, among in resources.items():
        for one in lambdas:
            actions = set()
            for policy in among[f"{one}Role"]["Properties"]["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    these = statement["Action"]
                    actions |= {these} if isinstance(these, str) else set(these)
                    wide = statement["Resource"] == "*" and set(these) != {"dynamodb:ListStreams"}
                    check(not wide, say(f"{one} may {these} on everything"))
            expected = set(LOGS)
            for function, allowed in ALLOWED.items():
                if lambda_of(function) == one:
                    expected |= allowed | (WITH_IAM.get(function, set()) if auth == "iam" else set())
            check(actions == expected, say(f"{one} ({auth}) differs in {sorted(actions ^ expected)}"))
            check("ManagedPolicyArns" not in among[f"{one}Role"]["Properties"], say(f"{one} has managed policies"))
    for key, function in of_type("AWS::Lambda::Function").items():
        check(function["Timeout"] == 10 and function["Runtime"] == "provided.al2023", say(f"{key}: time-out or runtime"))
        check(function["LoggingConfig"]["LogFormat"] == "JSON", say(f"{key}: reports are no objects"))
        check(function["Environment"]["Variables"]["SECOND_METRICS"] == "false", say(f"{key}: metrics that cost"))
        check(function["Role"] == {"Fn::GetAtt": [key.removesuffix("Function") + "Role", "Arn"]}, say(f"{key}: role"))
        logs = found[key.removesuffix("Function") + "Logs"]["Properties"]
        check(int(logs["RetentionInDays"]) > 0 and logs["LogGroupName"] == "/aws/lambda/" + function["FunctionName"],
              say(f"{key}: log group"))
        check(any(alias["FunctionName"] in (key, {"Ref": key}) for alias in of_type("AWS::Lambda::Alias").values()),
              say(f"{key} has no alias"))

    for table, (hash_key, index_key, index, streamed) in TABLES.items():
        properties = found[f"{table}Table"]["Properties"]
        keys = [[schema["AttributeName"] for schema in part["KeySchema"]]
                for part in (properties, *properties["GlobalSecondaryIndexes"])]
        check(keys == [[hash_key], [index_key]], say(f"{table}: keys {keys}"))
        check(properties["GlobalSecondaryIndexes"][0]["IndexName"] == index, say(f"{table}: index"))
        check(properties["TimeToLiveSpecification"] == {"AttributeName": "expireAt", "Enabled": True}, say(f"{table}: TTL"))
        check(properties["BillingMode"] == "PAY_PER_REQUEST", say(f"{table}: billing"))
        view = properties.get("StreamSpecification", {}).get("StreamViewType")
        check(view == ("NEW_IMAGE" if streamed else None), say(f"{table}: stream {view}"))

    for function, (table, events) in MAPPINGS.items():
        mapping = found[f"{function}Mapping"]["Properties"]
        check(alias_of(mapping["FunctionName"], lambda_of(function)), say(f"{function}: not the alias"))
        check(mapping["EventSourceArn"] == {"Fn::GetAtt": [table, "StreamArn"]}, say(f"{function}: stream"))
        check(mapping["StartingPosition"] == "TRIM_HORIZON", say(f"{function}: starting position"))
        check(0 <= mapping["MaximumRetryAttempts"] <= 100, say(f"{function}: retries without end"))
        check(60 <= mapping["MaximumRecordAgeInSeconds"] <= 86_400, say(f"{function}: records without end"))
        check(mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], say(f"{function}: whole batches fail"))
        check(mapping["MetricsConfig"] == {"Metrics": ["EventCount"]}, say(f"{function}: no series of its events"))
        check(mapping["BisectBatchOnFunctionError"] is True, say(f"{function}: no bisecting"))
        check(mapping["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["FailuresQueue", "Arn"]},
              say(f"{function}: failures are lost"))
        patterns = [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]]
        check(patterns == [{"eventName": events}], say(f"{function}: filter {patterns}"))

    routes = {properties["RouteKey"]: (key, properties) for key, properties in of_type("AWS::ApiGatewayV2::Route").items()}
    check(set(routes) == set(ROUTES), say(f"routes {sorted(routes)}"))
    answered = {properties["RouteId"] for properties in of_type("AWS::ApiGatewayV2::RouteResponse").values()}
    deployed = set(found["WebSocketDeployment"]["DependsOn"])
    permitted = list(of_type("AWS::Lambda::Permission").values())
    for route, (function, two_way) in ROUTES.items():
        key, properties = routes[route]
        check((key in answered) == two_way, say(f"{route}: route response"))
        check(properties.get("RouteResponseSelectionExpression") == ("$default" if two_way else None), say(f"{route}: selection"))
        check(key in deployed and (not two_way or f"{key}Response" in deployed), say(f"{route} is not deployed"))
        integration = re.search(r"\$\{(\w+)\}", json.dumps(properties["Target"]))[1]
        uri = found[integration]["Properties"]["IntegrationUri"]
        check(alias_of(uri, lambda_of(function)), say(f"{route}: integration {uri}"))
        check(any(alias_of(each["FunctionName"], lambda_of(function)) and f"/{route}" in json.dumps(each.get("SourceArn", ""))
                  for each in permitted), say(f"{route}: API Gateway may not call it"))
    guard = {auth: among[routes["$connect"][0]]["Properties"] for auth, among in resources.items()}
    check((guard["token"]["AuthorizationType"], guard["token"].get("AuthorizerId")) == ("CUSTOM", "WebSocketAuthorizer"),
          say("$connect is not authorized"))
    check(guard["steam"] == guard["token"], say("$connect with steam"))
    check((guard["iam"]["AuthorizationType"], guard["iam"].get("AuthorizerId")) == ("AWS_IAM", None), say("$connect with iam"))
    for auth, among in resources.items():
        methods = of_type("AWS::ApiGateway::Method", among)
        check(len(methods) == 2, say(f"methods of the REST API: {sorted(methods)}"))
        wanted = ("AWS_IAM", None) if auth == "iam" else ("CUSTOM", "PollingAuthorizer")
        for key, method in methods.items():
            check((method["AuthorizationType"], method.get("AuthorizerId")) == wanted, say(f"{key} with {auth}"))
    for auth, among in resources.items():
        for key, function in of_type("AWS::Lambda::Function", among).items():
            variables = function["Environment"]["Variables"]
            operations = {name for name in ALLOWED if lambda_of(name) == key.removesuffix("Function")}
            wanted = STEAM_KEY if auth == "steam" and "Authorizer" in operations else None
            check(variables.get("STEAM_PUBLISHER_KEY") == wanted, say(f"{key} ({auth}): Steam's key"))
            if auth == "iam" and operations & READS_SIGNED:
                check(variables.get("AUTH_MODE") == "iam", say(f"{key} does not know of iam"))
    check_limits(name, lambdas, found)
    check_failures(name, found)
    queue = found["PlacementQueue"]["Properties"]
    check(queue["NotificationTarget"] == "PlacementEvents", say("the queue reports to nobody"))
    check(alias_of(found["PlacementEventsSubscription"]["Properties"]["Endpoint"], lambda_of("OnPlacementEvent")),
          say("nobody listens to the topic"))


def check_limits(name, lambdas, found):
    """Throttles of single routes and reserved environments: none unless asked for, and then exactly those."""
    throttled = {"$connect": ("Connect", 11), "sendMessage": ("SendMessage", 12), "sessionPlacementRequest": ("Placement", 13)}

    def settings(among):
        return among["WebSocketStage"]["Properties"]["RouteSettings"]

    check(settings(found) == {}, f"{name}: routes are throttled without being asked to: {settings(found)}")
    for detailed, (route, (what, rate)) in zip((True, False, True), throttled.items(), strict=True):
        given = {f"{what}ThrottlingRate": rate, f"{what}ThrottlingBurst": 7, "DetailedMetrics": str(detailed).lower()}
        among = resources_with(name, **given)
        wanted = {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": 7, "DetailedMetricsEnabled": detailed}
        check(settings(among) == {route: wanted}, f"{name}: {given} makes {settings(among)}")
        methods = among["PollingStage"]["Properties"]["MethodSettings"][1:]
        method = [(each["HttpMethod"], each["ResourcePath"], each["ThrottlingRateLimit"]) for each in methods]
        wanted = [("POST", "/placements", rate)] if what == "Placement" else []
        check(method == wanted, f"{name}: {given} throttles {method} over REST")

    def reserved(among):
        properties = {one: among[f"{one}Function"]["Properties"] for one in lambdas}
        return {one: each["ReservedConcurrentExecutions"] for one, each in properties.items()
                if "ReservedConcurrentExecutions" in each}

    check(reserved(found) == {}, f"{name}: reserved without being asked to: {reserved(found)}")
    # Each a number of its own, the first one 0; and the last left alone.
    wanted = dict(zip(sorted(lambdas)[:-1] or lambdas, range(len(lambdas))))
    made = reserved(resources_with(name, **{f"{one}Concurrency": environments for one, environments in wanted.items()}))
    check(made == wanted, f"{name}: {wanted} reserves {made}")


def check_failures(name, found):
    """What fails is kept encrypted, and somebody hears of it; so is what GameLift reports."""
    check(found["FailuresQueue"]["Properties"].get("SqsManagedSseEnabled") is True, f"{name}: the failures queue is not encrypted")
    alarm = found["FailuresAlarm"]["Properties"]
    watched = (alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"])
    dimension = [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["FailuresQueue", "QueueName"]}}]
    check(watched == ("AWS/SQS", "ApproximateNumberOfMessagesVisible", dimension), f"{name}: the alarm watches {watched}")
    rule = (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"])
    check(rule == ("Maximum", "GreaterThanThreshold", 0, "notBreaching"), f"{name}: the alarm's rule is {rule}")
    check("AlarmActions" not in alarm, f"{name}: the alarm tells somebody although nobody is named")
    topic = "arn:aws:sns:us-east-1:000000000000:ops"
    told = resources_with(name, AlarmTopic=topic)["FailuresAlarm"]["Properties"]
    check(told["AlarmActions"] == told["OKActions"] == [topic], f"{name}: the alarm tells {told.get('AlarmActions')}")

    key = {"Fn::GetAtt": ["PlacementEventsKey", "Arn"]}
    check(found["PlacementEvents"]["Properties"].get("KmsMasterKeyId") == key, f"{name}: the topic is not encrypted with its key")
    properties = found["PlacementEventsKey"]["Properties"]
    check(properties["EnableKeyRotation"] is True, f"{name}: the topic's key is not rotated")
    users = [each for each in properties["KeyPolicy"]["Statement"] if each["Principal"] == {"Service": "gamelift.amazonaws.com"}]
    check([set(each["Action"]) for each in users] == [{"kms:Decrypt", "kms:GenerateDataKey"}],
          f"{name}: GameLift cannot publish with the topic's key")
    publisher = found["PlacementEventsPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    check([each["Condition"] for each in users] == [publisher["Condition"]], f"{name}: others than the queue may use the topic's key")


def check_code():
    """Every function of both templates ships the same executable, so that building one template builds both."""
    built = {}
    for name in (PER_OPERATION, SINGLE):
        template = source(name)
        for key, resource in template["Resources"].items():
            if resource["Type"] == "AWS::Serverless::Function":
                own = {**template["Globals"]["Function"], **resource["Properties"]}
                recipe = [own[part] for part in ("CodeUri", "Handler", "Runtime", "Architectures")] + [resource.get("Metadata")]
                built.setdefault(json.dumps(recipe, sort_keys=True), []).append(f"{name}: {key}")
    check(len(built) == 1, f"not one executable for all: {built}")


def stars(found):
    """Every action with a `*` in itself or in what it is allowed on, with what stands around that `*`."""
    documents = [policy["PolicyDocument"] for role in found.values() if role["Type"] == "AWS::IAM::Role"
                 for policy in role["Properties"]["Policies"]]
    for resource in found.values():
        documents += [resource["Properties"][part] for part in ("PolicyDocument", "KeyPolicy") if part in resource["Properties"]]
    statements = [statement for document in documents for statement in document["Statement"]]
    permitted = [resource["Properties"] for resource in found.values() if resource["Type"] == "AWS::Lambda::Permission"]
    statements += [{"Action": each["Action"], "Resource": each["SourceArn"]} for each in permitted]
    for statement in statements:
        check("NotAction" not in statement and "NotResource" not in statement, f"a policy says what is not meant: {statement}")
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for resource in resources:
            # After the last placeholder.
            tail = re.sub(r".*\}", "", next(iter(resource.values())) if isinstance(resource, dict) and "Fn::Sub" in resource
                          else resource if isinstance(resource, str) else "")
            yield from ((action, tail) for action in actions if "*" in action + tail)
        check("*" not in json.dumps(statement.get("Principal", "")), f"a policy lets in everybody: {statement}")


def check_stars():
    """The guide lists every `*` of a policy with its reason: no more and no fewer."""
    section = re.search(r"^### Every `\*`.*?\n(.*?)(?=^#)", GUIDE.read_text(), re.M | re.S)
    check(section is not None, "docs/deploy.md has no list of every `*`")
    rows = re.findall(r"^\| (.*?) \| `(.*?)` \| \S.* \|$", section[1] if section else "", re.M)
    listed = {(action, re.sub(r".*\}", "", on.replace("{stage}", PARAMETERS["Stage"]))) for what, on in rows for action in re.findall(r"`([a-z-]+:[\w*]+)`", what)}
    for name in (PER_OPERATION, SINGLE):
        found = set(stars(resources_with(name)))
        check(found == listed, f"{name} and docs/deploy.md differ in every `*`: {sorted(found ^ listed)}")


def check_shared():
    """What is not a function must be the same, so that the layouts can be compared."""
    def shared(name):
        template = source(name)
        own = re.compile(r"(Function|Role|Logs|FunctionName|Concurrency|Reserved)$")
        for part in ("Parameters", "Conditions", "Resources", "Outputs"):
            template[part] = {key: value for key, value in template[part].items() if not own.search(key)}
        del template["Description"]
        return json.loads(re.sub(r'"\w+Function\.Alias"|"\w+Function"', '"BackendFunction"', json.dumps(template)))
    one, other = shared(PER_OPERATION), shared(SINGLE)
    for part in one:
        for key in one[part] if isinstance(one[part], dict) else []:
            check(one[part][key] == other[part].get(key), f"{SINGLE} differs from {PER_OPERATION} in {part}.{key}")
        check(part in other and len(one[part]) == len(other[part]), f"{SINGLE} has another number of {part}")


def check_names():
    """Every variable that is set is one that the backend knows, by the one list of their names."""
    known = set(re.findall(r'"([A-Z][A-Z_0-9]+)"', (ROOT / "src/variables.rs").read_text()))
    for name in (PER_OPERATION, SINGLE):
        for function in environments(name):
            for variable in environments(name)[function]:
                check(variable in known, f"{name}: {function} has {variable}, which nothing reads")


def environments(name):
    template = source(name)
    parameters = parameters_of(template)
    named = {f"{table}Table": f"pong-Staging-{table}" for table in TABLES}
    resolved = resolve(expanded(name), template["Conditions"], {**parameters, **named})
    functions = {key: value for key, value in resolved.items() if value["Type"] == "AWS::Lambda::Function"}
    return {key.removesuffix("Function"): value["Properties"]["Environment"]["Variables"] for key, value in functions.items()}


if sys.argv[1:2] == ["--environment"]:
    for name in (PER_OPERATION, SINGLE):
        for variable, value in environments(name).get(sys.argv[2], {}).items():
            print(f"{variable}={value}")
else:
    check_template(PER_OPERATION, lambda function: function)
    check_template(SINGLE, lambda _: "Backend")
    check_code()
    check_stars()
    check_shared()
    check_names()
    print("\n".join(mistakes) or "the templates say what they should")
    sys.exit(bool(mistakes))
