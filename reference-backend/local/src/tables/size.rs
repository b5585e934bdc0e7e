//! How large an item is, by DynamoDB's rules, and what reading or writing it costs.

use serde_dynamo::{AttributeValue, Item};

/// Largest item.
pub(super) const LARGEST_ITEM: usize = 400 * 1_024;

/// Bytes of an item: names and values.
pub(super) fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_size(number),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|number| number_size(number)).sum(),
        AttributeValue::Bs(values) => values.iter().map(Vec::len).sum(),
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(values) => {
            3 + values.iter().map(|(name, value)| 1 + name.len() + value_size(value)).sum::<usize>()
        }
    }
}

/// One byte for two significant digits, one more, and one for a sign. Zeros at either end are not significant.
fn number_size(number: &str) -> usize {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len().div_ceil(2) + 1 + usize::from(number.starts_with('-'))
}

/// Write request units: one per started KiB.
pub(super) fn write_units(bytes: usize) -> u32 {
    units(bytes, 1_024)
}

/// Read request units in halves: an eventually consistent read costs one half per started 4 KiB.
pub(super) fn read_half_units(bytes: usize, consistent: bool) -> u32 {
    units(bytes, 4_096) * if consistent { 2 } else { 1 }
}

fn units(bytes: usize, unit: usize) -> u32 {
    u32::try_from(bytes.div_ceil(unit).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_documented_rules() {
        let mut item = Item::default();
        item.insert("key".into(), AttributeValue::S("äb".into()));
        item.insert("n".into(), AttributeValue::N("-12345".into()));
        item.insert("l".into(), AttributeValue::L(vec![AttributeValue::Bool(true)]));
        assert_eq!(item_size(&item), (3 + 3) + (1 + 3 + 1 + 1) + (1 + 3 + 1 + 1));
    }

    #[test]
    fn units_are_counted_per_started_block_and_at_least_once() {
        assert_eq!([0, 1, 1_024, 1_025].map(write_units), [1, 1, 1, 2]);
        assert_eq!([0, 4_096, 4_097].map(|bytes| read_half_units(bytes, false)), [1, 1, 2]);
        assert_eq!(read_half_units(4_097, true), 4);
    }
}
