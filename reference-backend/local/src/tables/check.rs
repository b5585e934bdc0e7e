//! What DynamoDB refuses of an item or a key, in its words.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::Hash;

use reference_backend::function::Table;
use reference_backend::ports::TableError;
use serde_dynamo::{AttributeValue, Item};

use super::number::canonical;

/// How most refusals begin.
const INVALID: &str = "One or more parameter values were invalid";
/// Longest value of a partition key, the table's or the index's, in bytes.
const LONGEST_KEY: usize = 2_048;

/// Checks an item's keys and values, and writes its numbers as they will be read back.
pub(super) fn check_item(table: Table, item: &mut Item) -> Result<(), TableError> {
    match item.get(table.key()) {
        Some(AttributeValue::S(key)) => check_key(table, key)?,
        Some(other) => return Err(type_mismatch(table.key(), other)),
        None => {
            return Err(refused(format!("{INVALID}: Missing the key {} in the item", table.key())));
        }
    }
    match item.get(table.index_key()) {
        None => {}
        Some(AttributeValue::S(value)) => check_index_key(table, value)?,
        Some(other) => return Err(type_mismatch(table.index_key(), other)),
    }
    item.values_mut().try_for_each(settle)
}

/// Refuses a value of the table's key.
pub(super) fn check_key(table: Table, key: &str) -> Result<(), TableError> {
    if key.is_empty() {
        return Err(refused(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
             empty string value. Key: {}",
            table.key()
        )));
    }
    check_length(key)
}

/// Refuses a value of the index's key.
pub(super) fn check_index_key(table: Table, value: &str) -> Result<(), TableError> {
    if value.is_empty() {
        return Err(refused(format!(
            "One or more parameter values are not valid. A value specified for a secondary index key is not \
             supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: {}, \
             IndexKey: {}",
            table.index_name(),
            table.index_key()
        )));
    }
    check_length(value)
}

fn check_length(key: &str) -> Result<(), TableError> {
    if key.len() > LONGEST_KEY {
        return Err(refused(format!(
            "{INVALID}: Size of hashkey has exceeded the maximum size limit of2048 bytes"
        )));
    }
    Ok(())
}

/// Checks a value and all in it; numbers get their one form.
fn settle(value: &mut AttributeValue) -> Result<(), TableError> {
    match value {
        AttributeValue::N(number) => settle_number(number),
        AttributeValue::L(values) => values.iter_mut().try_for_each(settle),
        AttributeValue::M(values) => values.values_mut().try_for_each(settle),
        AttributeValue::Ss(texts) => check_set(texts, "string", || {
            format!("{INVALID}: Input collection [{}] contains duplicates", texts.join(", "))
        }),
        AttributeValue::Bs(values) => {
            check_set(values, "binary", || format!("{INVALID}: Input collection contains duplicates"))
        }
        AttributeValue::Ns(numbers) => {
            numbers.iter_mut().try_for_each(settle_number)?;
            check_set(numbers, "number", || "Input collection contains duplicates".to_owned())
        }
        AttributeValue::S(_) | AttributeValue::B(_) | AttributeValue::Bool(_) | AttributeValue::Null(_) => {
            Ok(())
        }
    }
}

fn settle_number(number: &mut String) -> Result<(), TableError> {
    if let Cow::Owned(rewritten) = canonical(number)? {
        *number = rewritten;
    }
    Ok(())
}

/// Refuses an empty set, and one with a member twice: each kind in words of its own.
fn check_set<T: Eq + Hash>(
    members: &[T],
    kind: &str,
    duplicates: impl FnOnce() -> String,
) -> Result<(), TableError> {
    let different: HashSet<&T> = members.iter().collect();
    match members.len() {
        // The article and the spaces are DynamoDB's.
        0 => Err(refused(format!("{INVALID}: An {kind} set  may not be empty"))),
        all if different.len() < all => Err(refused(duplicates())),
        _ => Ok(()),
    }
}

fn type_mismatch(attribute: &str, value: &AttributeValue) -> TableError {
    let actual = match value {
        AttributeValue::S(_) => "S",
        AttributeValue::N(_) => "N",
        AttributeValue::B(_) => "B",
        AttributeValue::Bool(_) => "BOOL",
        AttributeValue::Null(_) => "NULL",
        AttributeValue::M(_) => "M",
        AttributeValue::L(_) => "L",
        AttributeValue::Ss(_) => "SS",
        AttributeValue::Ns(_) => "NS",
        AttributeValue::Bs(_) => "BS",
    };
    refused(format!("{INVALID}: Type mismatch for key {attribute} expected: S actual: {actual}"))
}

fn refused(reason: impl Into<String>) -> TableError {
    TableError::Validation(reason.into())
}
