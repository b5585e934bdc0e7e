//! Items as the SDKs have them, and as the ports have them.
//!
//! serde_dynamo converts them as well, with a feature for each SDK. But features of a crate are the same for all that use
//! it in one build: every crate that knows items would wait until these SDKs are compiled, and would be compiled once
//! more in a build that has none of them.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue as Sdk;
use serde_dynamo::{AttributeValue, Item};

/// Defines `item`, which makes an [`Item`] of the attributes that an SDK has: there are two SDKs with types of their own.
#[macro_export]
macro_rules! item_of_sdk {
    ($visible:vis $sdk:ident) => {
        /// An item of the SDK, as the ports know it.
        $visible fn item(
            attributes: ::std::collections::HashMap<String, $sdk::types::AttributeValue>,
        ) -> ::serde_dynamo::Item {
            fn value(of: $sdk::types::AttributeValue) -> ::serde_dynamo::AttributeValue {
                use ::serde_dynamo::AttributeValue as Ours;
                use $sdk::types::AttributeValue as Sdk;
                match of {
                    Sdk::S(text) => Ours::S(text),
                    Sdk::N(number) => Ours::N(number),
                    Sdk::Bool(truth) => Ours::Bool(truth),
                    Sdk::Null(null) => Ours::Null(null),
                    Sdk::B(bytes) => Ours::B(bytes.into_inner()),
                    Sdk::L(list) => Ours::L(list.into_iter().map(value).collect()),
                    Sdk::M(map) => Ours::M(map.into_iter().map(|(name, of)| (name, value(of))).collect()),
                    Sdk::Ss(texts) => Ours::Ss(texts),
                    Sdk::Ns(numbers) => Ours::Ns(numbers),
                    Sdk::Bs(all) => Ours::Bs(all.into_iter().map(|bytes| bytes.into_inner()).collect()),
                    // A type that DynamoDB does not have yet.
                    _ => Ours::Null(true),
                }
            }
            let converted = attributes.into_iter().map(|(name, of)| (name, value(of)));
            converted.collect::<::std::collections::HashMap<_, _>>().into()
        }
    };
}

item_of_sdk!(pub(super) aws_sdk_dynamodb);

/// An item, as the SDK wants it.
pub(super) fn attributes(item: Item) -> HashMap<String, Sdk> {
    item.into_inner().into_iter().map(|(name, of)| (name, sdk(of))).collect()
}

fn sdk(of: AttributeValue) -> Sdk {
    match of {
        AttributeValue::S(text) => Sdk::S(text),
        AttributeValue::N(number) => Sdk::N(number),
        AttributeValue::Bool(truth) => Sdk::Bool(truth),
        AttributeValue::Null(null) => Sdk::Null(null),
        AttributeValue::B(bytes) => Sdk::B(Blob::new(bytes)),
        AttributeValue::L(list) => Sdk::L(list.into_iter().map(sdk).collect()),
        AttributeValue::M(map) => Sdk::M(map.into_iter().map(|(name, of)| (name, sdk(of))).collect()),
        AttributeValue::Ss(texts) => Sdk::Ss(texts),
        AttributeValue::Ns(numbers) => Sdk::Ns(numbers),
        AttributeValue::Bs(all) => Sdk::Bs(all.into_iter().map(Blob::new).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_attribute_comes_back_as_it_was() {
        let list = vec![AttributeValue::Bool(true), AttributeValue::Null(true)];
        let map = HashMap::from([("inner".to_owned(), AttributeValue::L(list))]);
        let all = [
            AttributeValue::S("text".into()),
            AttributeValue::N("1.5".into()),
            AttributeValue::B(vec![0, 255]),
            AttributeValue::M(map),
            AttributeValue::Ss(vec!["a".into(), "b".into()]),
            AttributeValue::Ns(vec!["1".into(), "2".into()]),
            AttributeValue::Bs(vec![vec![1], vec![2]]),
        ];
        let named = all.into_iter().enumerate().map(|(number, of)| (number.to_string(), of));
        let whole = Item::from(named.collect::<HashMap<_, _>>());
        assert_eq!(item(attributes(whole.clone())), whole);
    }
}
