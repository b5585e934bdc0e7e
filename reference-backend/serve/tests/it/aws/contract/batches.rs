//! BatchGetItem and BatchWriteItem: limits, refusals, and what is left over.

use reference_backend::function::Table;
use reference_backend::ports::{BATCH_GET_LIMIT, BATCH_PUT_LIMIT};

use super::{both, item, items, sorted};

const TABLE: Table = Table::Messages;

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("k{number}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_up_to_their_limit() {
    both("batches", async |subject, notes| {
        let tables = &subject.tables;
        let some = |range: std::ops::Range<usize>| items(range.map(|k| item(TABLE, format!("k{k}"), "r", k)));
        assert_eq!(tables.batch_put(TABLE, some(0..BATCH_PUT_LIMIT)).await, Ok(Vec::new()));
        assert_eq!(tables.batch_put(TABLE, some(20..45)).await, Ok(Vec::new()));
        let answer = tables.batch_get(TABLE, keys(BATCH_GET_LIMIT)).await.unwrap();
        assert_eq!((answer.items.len(), answer.unprocessed.len()), (45, 0), "who is missing is left out");
        notes.items("found", Ok(answer.items));

        notes.refusal("too many keys", tables.batch_get(TABLE, keys(BATCH_GET_LIMIT + 1)).await);
        notes.refusal(
            "one key twice",
            tables.batch_get(TABLE, vec!["a".into(), "b".into(), "a".into()]).await,
        );
        notes.refusal("an empty key", tables.batch_get(TABLE, vec!["a".into(), String::new()]).await);
        notes.refusal("a long key", tables.batch_get(TABLE, vec!["k".repeat(2_049)]).await);
        notes.refusal("no keys", tables.batch_get(TABLE, Vec::new()).await);

        notes.refusal("too many items", tables.batch_put(TABLE, some(0..BATCH_PUT_LIMIT + 1)).await);
        notes.refusal("no items", tables.batch_put(TABLE, Vec::new()).await);
        let twice = items([item(TABLE, "new", "r", 1), item(TABLE, "new", "r", 2)]);
        notes.refusal("one item twice", tables.batch_put(TABLE, twice).await);
        let one_wrong = items([item(TABLE, "new", "r", 1), item(TABLE, "", "r", 2)]);
        notes.refusal("an item without a key", tables.batch_put(TABLE, one_wrong).await);
        assert_eq!(tables.get(TABLE, "new").await, Ok(None), "a batch that is refused writes nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_batch_has_no_room_for_is_asked_for_again() {
    // An answer has 16 MiB.
    both("room", async |subject, notes| {
        let filler = "x".repeat(350 * 1_024);
        for number in 0..60 {
            let mut item = item(TABLE, format!("k{number}"), "r", number);
            item["filler"] = filler.as_str().into();
            subject.put(TABLE, item).await.unwrap();
        }
        let (mut left, mut found, mut requests) = (keys(60), Vec::new(), 0);
        while !left.is_empty() {
            let answer = subject.tables.batch_get(TABLE, left.clone()).await.unwrap();
            assert_eq!(answer.items.len() + answer.unprocessed.len(), left.len());
            assert!(!answer.items.is_empty(), "each answer brings something");
            found.extend(answer.items);
            left = answer.unprocessed;
            requests += 1;
        }
        notes.note("requests", requests);
        assert_eq!(requests, 2);
        found.iter_mut().for_each(|item| assert!(item.remove("filler").is_some()));
        notes.note("found", sorted(&found));
    })
    .await;
}
