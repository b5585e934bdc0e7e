use reference_backend::handlers::AuthMode;
use serde_json::{Value, json};

use super::*;
use crate::rpc::Codec;
use crate::tests::{World, tables};

struct Fixture(DynamoDb);

impl Fixture {
    fn new() -> Self {
        let world = World::new(AuthMode::Header, tables);
        Self(DynamoDb::new(world.tables.clone(), &Deployment::default(), &TablesProfile::default()))
    }

    /// Status and body of one call.
    async fn call(&self, operation: &str, parameters: &Value) -> (u16, Value) {
        let body = parameters.to_string().into();
        let response = self.0.answer(&Call { codec: Codec::Json10, operation: operation.into(), body }).await;
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// A call that must be refused: its error without the name space, and its message.
    async fn refused(&self, operation: &str, parameters: &Value) -> (String, String) {
        let (status, body) = self.call(operation, parameters).await;
        assert_eq!(status, 400, "{body}");
        let kind =
            body["__type"].as_str().unwrap().strip_prefix("com.amazonaws.dynamodb.v20120810#").unwrap();
        (kind.to_owned(), body["message"].as_str().unwrap().to_owned())
    }

    /// Puts a connection of ann's under a condition.
    async fn put(&self, expression: &str, names: Value, values: Value) -> (u16, Value) {
        let item = json!({ "playerId": { "S": "ann" }, "connectionId": { "S": "c-1" }, "connectedAt": { "N": "5" } });
        let mut request =
            json!({ "TableName": CONNECTIONS, "Item": item, "ConditionExpression": expression });
        for (key, given) in [("ExpressionAttributeNames", names), ("ExpressionAttributeValues", values)] {
            if !given.is_null() {
                request[key] = given;
            }
        }
        self.call("PutItem", &request).await
    }
}

const CONNECTIONS: &str = "reference-Development-Connections";

fn failed(answer: &(u16, Value)) -> bool {
    answer.0 == 400 && answer.1["__type"].as_str().unwrap().ends_with("#ConditionalCheckFailedException")
}

#[tokio::test]
async fn every_condition_of_the_port_is_understood_however_it_is_written() {
    let fixture = Fixture::new();
    let nothing = Value::Null;
    let absent = fixture.put("attribute_not_exists(playerId)", nothing.clone(), nothing.clone()).await;
    assert_eq!(absent, (200, json!({})));
    let again =
        fixture.put("( attribute_not_exists (#k) )", json!({ "#k": "playerId" }), nothing.clone()).await;
    assert!(failed(&again), "{again:?}");

    for (value, holds) in [("c-1", true), ("c-2", false)] {
        let values = json!({ ":v": { "S": value } });
        let plain = fixture.put("connectionId = :v", nothing.clone(), values.clone()).await;
        let placed = fixture.put("(#n=:v)", json!({ "#n": "connectionId" }), values).await;
        assert_eq!((failed(&plain), failed(&placed)), (!holds, !holds), "{plain:?} {placed:?}");
    }
    for (most, holds) in [("5", true), ("4", false)] {
        let (names, values) =
            (json!({ "#k": "playerId", "#n": "connectedAt" }), json!({ ":v": { "N": most } }));
        for text in [
            "attribute_not_exists(#k) OR #n <= :v",
            "(attribute_not_exists(#k) or (#n<=:v))",
            "#n <= :v OR attribute_not_exists(#k)",
        ] {
            let answer = fixture.put(text, names.clone(), values.clone()).await;
            assert_eq!(failed(&answer), !holds, "{text}: {answer:?}");
        }
        for text in ["NOT #n > :v", "(not (#n>:v))"] {
            let answer = fixture.put(text, json!({ "#n": "connectedAt" }), values.clone()).await;
            assert_eq!(failed(&answer), !holds, "{text}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused_in_words() {
    let fixture = Fixture::new();
    let (nothing, one) = (Value::Null, json!({ ":v": { "S": "x" } }));
    for (expression, names, values, hint) in [
        ("attribute_exists(playerId)", &nothing, &nothing, "Syntax error"),
        ("attribute_not_exists(connectionId)", &nothing, &nothing, "attribute_not_exists(playerId) OR"),
        ("connectionId <> :v", &nothing, &one, "from here: <> :v"),
        ("connectionId = :v AND stage = :v", &nothing, &one, "not understand all of it"),
        ("a.b = :v", &nothing, &one, "from here: .b"),
        ("rank = :v", &nothing, &one, "attributes of the backend's records"),
        ("connectionId = :w", &nothing, &one, "attribute value: :w"),
        ("#n = :v", &nothing, &one, "attribute name: #n"),
        ("connectionId = :v", &json!({ "#x": "y" }), &one, "unused in expressions: keys: {#x}"),
        ("attribute_not_exists(playerId)", &nothing, &one, "unused in expressions: keys: {:v}"),
        (
            "attribute_not_exists(playerId) OR connectedAt <= :v",
            &nothing,
            &json!({ ":v": { "N": "1.5" } }),
            "understands",
        ),
        ("attribute_not_exists(playerId) OR", &nothing, &nothing, "ends too early"),
        ("((connectionId = :v)", &nothing, &one, "ends too early"),
        ("NOT connectionId = :v", &nothing, &one, "NOT attribute > :number"),
        ("connectionId > :v", &nothing, &one, "understands"),
        ("connectionId >= :v", &nothing, &one, "from here: >= :v"),
        ("", &nothing, &nothing, "ends too early"),
        ("ä = :v", &nothing, &one, "from here: ä"),
        (": = :v", &nothing, &one, "from here: :"),
    ] {
        let (status, body) = fixture.put(expression, names.clone(), values.clone()).await;
        let message = body["message"].as_str().unwrap_or_default();
        assert!(
            status == 400 && body["__type"].as_str().unwrap().ends_with("#ValidationException"),
            "{expression}: {body}"
        );
        assert!(message.contains(hint), "{expression}: {message}");
    }
    let deep = "(".repeat(5_000);
    let (_, body) = fixture.put(&deep, nothing.clone(), nothing.clone()).await;
    assert!(body["message"].as_str().unwrap().contains("4096"), "{body}");
    for deep in ["(".repeat(4_000), "NOT ".repeat(1_000)] {
        let (_, body) = fixture.put(&format!("{deep}a"), nothing.clone(), nothing.clone()).await;
        assert!(body["message"].as_str().unwrap().contains("nested more than"), "{body}");
    }
}

#[tokio::test]
async fn requests_that_are_half_understood_are_refused() {
    let fixture = Fixture::new();
    let key = json!({ "playerId": { "S": "a" } });
    for (operation, request, kind, hint) in [
        (
            "GetItem",
            json!({ "TableName": CONNECTIONS, "Key": key, "ProjectionExpression": "stage" }),
            "ValidationException",
            "unknown field `ProjectionExpression`",
        ),
        (
            "DeleteItem",
            json!({ "TableName": CONNECTIONS, "Key": key, "ReturnValues": "ALL_OLD" }),
            "ValidationException",
            "ALL_OLD",
        ),
        (
            "Query",
            json!({ "TableName": CONNECTIONS, "KeyConditionExpression": "playerId = :v", "Limit": 1, "ExpressionAttributeValues": { ":v": { "S": "a" } } }),
            "ValidationException",
            "Limit",
        ),
        (
            "Query",
            json!({ "TableName": CONNECTIONS, "KeyConditionExpression": "stage = :v", "ExpressionAttributeValues": { ":v": { "S": "a" } } }),
            "ValidationException",
            "missed key schema element: playerId",
        ),
        (
            "Query",
            json!({ "TableName": CONNECTIONS, "IndexName": "Other", "KeyConditionExpression": "stage = :v", "ExpressionAttributeValues": { ":v": { "S": "a" } } }),
            "ValidationException",
            "specified index: Other",
        ),
        ("GetItem", json!({ "TableName": "Other", "Key": key }), "ResourceNotFoundException", "Other"),
        (
            "GetItem",
            json!({ "TableName": CONNECTIONS, "Key": { "playerId": { "N": "1" } } }),
            "ValidationException",
            "key element",
        ),
        (
            "GetItem",
            json!({ "TableName": CONNECTIONS, "Key": { "playerId": { "S": "a" }, "x": { "S": "a" } } }),
            "ValidationException",
            "key element",
        ),
        (
            "PutItem",
            json!({ "TableName": CONNECTIONS, "Item": { "x": { "S": "a" } } }),
            "ValidationException",
            "Missing the key playerId",
        ),
        (
            "PutItem",
            json!({ "TableName": CONNECTIONS, "Item": { "playerId": "a" } }),
            "ValidationException",
            "does not understand",
        ),
        (
            "PutItem",
            json!({ "TableName": CONNECTIONS, "Item": key, "ExpressionAttributeNames": { "#a": "b" } }),
            "ValidationException",
            "only be specified",
        ),
        ("Scan", json!({ "TableName": CONNECTIONS }), "UnknownOperationException", "Scan"),
        ("BatchGetItem", json!({ "RequestItems": {} }), "ValidationException", "length"),
        (
            "BatchWriteItem",
            json!({ "RequestItems": { CONNECTIONS: [{ "PutRequest": { "Item": key } }, { "DeleteRequest": { "Key": key } }] } }),
            "ValidationException",
            "duplicates",
        ),
    ] {
        let (found, message) = fixture.refused(operation, &request).await;
        assert!(found == kind && message.contains(hint), "{operation} {request}: {found} {message}");
    }
    let too_many: Vec<Value> = (0..101).map(|n| json!({ "playerId": { "S": n.to_string() } })).collect();
    let request = json!({ "RequestItems": { CONNECTIONS: { "Keys": too_many } } });
    assert!(fixture.refused("BatchGetItem", &request).await.1.contains("Too many items"));
}

#[tokio::test]
async fn a_batch_may_write_delete_and_read_in_several_tables() {
    let fixture = Fixture::new();
    let (player, message) = (json!({ "playerId": { "S": "a" } }), json!({ "messageId": { "S": "m" } }));
    let messages = "reference-Development-Messages";
    let writes = json!({ "RequestItems": {
        CONNECTIONS: [{ "PutRequest": { "Item": player } }, { "DeleteRequest": { "Key": { "playerId": { "S": "b" } } } }],
        messages: [{ "PutRequest": { "Item": message } }],
    } });
    assert_eq!(fixture.call("BatchWriteItem", &writes).await, (200, json!({ "UnprocessedItems": {} })));
    let reads = json!({ "RequestItems": { CONNECTIONS: { "Keys": [player], "ConsistentRead": true }, messages: { "Keys": [message] } } });
    let expected =
        json!({ "Responses": { CONNECTIONS: [player], messages: [message] }, "UnprocessedKeys": {} });
    assert_eq!(fixture.call("BatchGetItem", &reads).await, (200, expected));
    let deletes = json!({ "RequestItems": { CONNECTIONS: [{ "DeleteRequest": { "Key": player } }] } });
    assert_eq!(fixture.call("BatchWriteItem", &deletes).await.0, 200);
    let get = json!({ "TableName": CONNECTIONS, "Key": player });
    assert_eq!(fixture.call("GetItem", &get).await, (200, json!({})));
}

#[tokio::test]
async fn tables_are_listed_in_pages_and_described() {
    let fixture = Fixture::new();
    let (_, first) = fixture.call("ListTables", &json!({ "Limit": 2 })).await;
    assert_eq!(first["TableNames"], json!([CONNECTIONS, "reference-Development-Messages"]));
    let rest = json!({ "ExclusiveStartTableName": first["LastEvaluatedTableName"] });
    let (_, rest) = fixture.call("ListTables", &rest).await;
    assert_eq!(rest, json!({ "TableNames": ["reference-Development-Placements"] }));
    let (_, table) = fixture.call("DescribeTable", &json!({ "TableName": CONNECTIONS })).await;
    assert_eq!(table["Table"]["GlobalSecondaryIndexes"][0]["IndexName"], "ConnectionIdIndex");
    assert_eq!(table["Table"]["StreamSpecification"], Value::Null, "nobody reads that table's changes");
}
