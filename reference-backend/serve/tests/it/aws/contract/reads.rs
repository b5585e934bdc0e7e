//! GetItem, and Query on the index.

use reference_backend::function::Table;
use serde_json::json;

use super::{both, item};

const TABLE: Table = Table::Connections;

#[tokio::test(flavor = "multi_thread")]
async fn the_index_follows_every_write() {
    both("index", async |subject, notes| {
        let tables = &subject.tables;
        let query = async |value: &str| tables.query_index(TABLE, value).await;
        for (player, connection) in [("a", "x"), ("b", "x"), ("c", "y")] {
            subject.put(TABLE, item(TABLE, player, connection, 1)).await.unwrap();
        }
        subject.put(TABLE, json!({ "playerId": "d", "n": 1 })).await.unwrap();
        notes.items("two share it", query("x").await);
        subject.put(TABLE, item(TABLE, "a", "y", 2)).await.unwrap();
        tables.delete(TABLE, "c", None).await.unwrap();
        notes.items("one has left", query("x").await);
        notes.items("one has come, one is gone", query("y").await);
        subject.put(TABLE, json!({ "playerId": "b" })).await.unwrap();
        assert_eq!(query("x").await, Ok(Vec::new()));
        notes.refusal("an empty value", query("").await);
        notes.items("the longest value", query(&"v".repeat(2_048)).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_returns_all_pages() {
    // A page has 1 MiB.
    both("pages", async |subject, notes| {
        let filler = "x".repeat(100 * 1_024);
        for number in 0..35 {
            let mut item = item(TABLE, format!("p{number:02}"), "shared", number);
            item["filler"] = filler.as_str().into();
            subject.put(TABLE, item).await.unwrap();
        }
        let mut found = subject.tables.query_index(TABLE, "shared").await.unwrap();
        assert_eq!(found.len(), 35);
        found.iter_mut().for_each(|item| assert!(item.remove("filler").is_some()));
        notes.items("all", Ok(found));
    })
    .await;
}
