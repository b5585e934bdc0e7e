//! PutItem and DeleteItem: conditions, numbers, values, sizes, refusals.

use reference_backend::function::Table;
use reference_backend::ports::{Condition, TableError};
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Value, json};

use super::{both, canonical, item, items};

const TABLE: Table = Table::Connections;

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A connection record with these values.
fn with(values: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> Item {
    let mut item = items([json!({ "playerId": "ann" })]).remove(0);
    for (name, value) in values {
        item.insert(name.to_owned(), value);
    }
    item
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_happens_exactly_if_its_condition_holds() {
    both("conditions", async |subject, notes| {
        let n =
            |number: &str| Some(with([("connectedAt", AttributeValue::N(number.into())), ("c", text("x"))]));
        let before = [
            None,
            n("5"),
            n("4.999"),
            n("5.001"),
            n("-7"),
            n("9223372036854775808"),
            Some(with([("connectedAt", text("5"))])),
            Some(with([("c", text("y"))])),
        ];
        let at_most = |value| Condition::AbsentOrAtMost { attribute: "connectedAt", value };
        let not_above = |value| Condition::NotAbove { attribute: "connectedAt", value };
        let conditions = [
            not_above(5),
            not_above(4),
            not_above(i64::MAX),
            Condition::Absent,
            Condition::Equals { attribute: "c", value: "x".into() },
            at_most(5),
            at_most(4),
            at_most(i64::MAX),
            at_most(i64::MIN),
        ];
        let tables = &subject.tables;
        for (number, before) in before.iter().enumerate() {
            for condition in &conditions {
                for deletes in [false, true] {
                    tables.delete(TABLE, "ann", None).await.unwrap();
                    if let Some(before) = before {
                        tables.put(TABLE, before.clone(), None).await.unwrap();
                    }
                    let outcome = if deletes {
                        tables.delete(TABLE, "ann", Some(condition.clone())).await
                    } else {
                        tables.put(TABLE, with([("c", text("new"))]), Some(condition.clone())).await
                    };
                    let after = tables.get(TABLE, "ann").await.unwrap();
                    match (&outcome, deletes) {
                        (Ok(()), true) => assert_eq!(after, None),
                        (Ok(()), false) => assert_eq!(after, Some(with([("c", text("new"))]))),
                        (Err(error), _) => {
                            assert_eq!(*error, TableError::ConditionFailed);
                            assert_eq!(after, *before, "a write that is refused changes nothing");
                        }
                    }
                    if *condition == Condition::Absent {
                        assert_eq!(outcome.is_ok(), before.is_none());
                    }
                    notes.note(format!("{number} {condition:?} {deletes}"), outcome);
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_read_back_in_one_form() {
    both("numbers", async |subject, notes| {
        let put = async |number: &str| {
            let item = with([("n", AttributeValue::N(number.into()))]);
            subject.tables.put(TABLE, item, None).await?;
            Ok::<_, TableError>(subject.tables.get(TABLE, "ann").await?.unwrap().remove("n").unwrap())
        };
        let many_digits = "1".repeat(38);
        for number in [
            "0",
            "-0",
            "-0.0",
            "007",
            "+5",
            "5.",
            ".5",
            "1.50",
            "1e3",
            "1E-3",
            "1.5e2",
            "-12.5e-1",
            "100",
            "1e20",
            "9223372036854775808",
            "1e125",
            "-9.9e125",
            "1e-130",
            "0e5",
            "0.000000001",
            "123456789.123456789",
            &many_digits,
        ] {
            notes.note(number, put(number).await.unwrap());
        }
        assert_eq!(put("1.50").await, Ok(AttributeValue::N("1.5".into())));
        for wrong in
            ["", "abc", " 1", "--1", "1e", ".", "NaN", "0x1", "1e126", "1e-131", &format!("{many_digits}1")]
        {
            notes.refusal(format!("{wrong:?}"), put(wrong).await);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_value_comes_back_as_it_was() {
    both("values", async |subject, notes| {
        let list =
            AttributeValue::L(vec![text(""), AttributeValue::Null(true), AttributeValue::L(Vec::new())]);
        let map = AttributeValue::M([("k".to_owned(), AttributeValue::N("1".into()))].into());
        let whole = with([
            ("text", text("wörld \u{1F600} \" \\ \n")),
            ("nothing", text("")),
            ("bytes", AttributeValue::B(vec![0, 255, 10])),
            ("no bytes", AttributeValue::B(Vec::new())),
            ("yes", AttributeValue::Bool(true)),
            ("null", AttributeValue::Null(true)),
            ("list", list),
            ("map", map),
            ("texts", AttributeValue::Ss(vec!["a".into(), "b".into()])),
            ("numbers", AttributeValue::Ns(vec!["1".into(), "2.5".into()])),
            ("status", text("a reserved word")),
        ]);
        subject.tables.put(TABLE, whole.clone(), None).await.unwrap();
        let back = subject.tables.get(TABLE, "ann").await.unwrap().unwrap();
        assert_eq!(canonical(&back), canonical(&whole));
        notes.note("all", canonical(&back));
        for (what, value) in [
            ("an empty set", AttributeValue::Ss(Vec::new())),
            ("an empty set of numbers", AttributeValue::Ns(Vec::new())),
            ("twice the same", AttributeValue::Ss(vec!["a".into(), "a".into()])),
            ("twice the same number", AttributeValue::Ns(vec!["1".into(), "1.0".into()])),
        ] {
            notes.refusal(what, subject.tables.put(TABLE, with([("set", value)]), None).await);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_item_of_the_table_is_refused() {
    both("refusals", async |subject, notes| {
        for (what, wrong) in [
            ("no key", json!({ "connectionId": "c" })),
            ("an empty key", item(TABLE, "", "c", 1)),
            ("a key that is a number", json!({ "playerId": 5 })),
            ("a key that is no value", json!({ "playerId": Value::Null })),
            ("an index key that is a number", json!({ "playerId": "ann", "connectionId": 5 })),
            ("an empty index key", item(TABLE, "ann", "", 1)),
            ("a long key", item(TABLE, "k".repeat(2_049), "c", 1)),
            ("a long index key", item(TABLE, "ann", "c".repeat(2_049), 1)),
        ] {
            notes.refusal(what, subject.put(TABLE, wrong).await);
        }
        for key in [String::new(), "k".repeat(2_049)] {
            notes.refusal("get", subject.tables.get(TABLE, &key).await);
            notes.refusal("delete", subject.tables.delete(TABLE, &key, None).await);
        }
        let longest = "k".repeat(2_048);
        subject.put(TABLE, item(TABLE, &longest, "c", 1)).await.unwrap();
        notes.items(
            "the longest",
            subject.tables.get(TABLE, &longest).await.map(|item| item.into_iter().collect()),
        );
        assert_eq!(subject.tables.delete(TABLE, "nobody", None).await, Ok(()));

        // "playerId" + "ann" + "t" leave so much of 400 KiB.
        let largest = 400 * 1_024 - 8 - 3 - 1;
        let sized = |size: usize| with([("t", text(&"x".repeat(size)))]);
        subject.tables.put(TABLE, sized(largest), None).await.unwrap();
        notes.refusal("too large", subject.tables.put(TABLE, sized(largest + 1), None).await);
    })
    .await;
}
