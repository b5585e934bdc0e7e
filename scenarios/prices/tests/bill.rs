//! Bills against a hand-computed one, and what holds of every bill.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use prices::{Basis, Bill, Item, PriceList, Usage};
use proptest::prelude::*;

#[test]
fn the_checked_in_schema_is_the_one_in_force() {
    let schema = serde_json::to_string_pretty(&prices::json_schema()).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("prices.schema.json");
    docs::generated_file(&path, &schema, "UPDATE_SCHEMA");
}

/// An hour of 1,000 players. Each sends one message of 33 KB every ten seconds, which is acknowledged and pushed to one
/// other, and asks for one place in a game session. By hand, at the prices of us-east-1:
///
/// ```text
/// connection minutes   1,000 sockets x 60 min                                  = 60,000        x 0.25 / M      = 0.015
/// messages             360,000 sends x 2 (33 KB are two units of 32 KB)        = 720,000
///                      + 360,000 acknowledgements                              = 360,000
///                      + 360,000 pushes x 2                                    = 720,000
///                      + 1,000 wishes + 1,000 answers + 1,000 outcomes         = 3,000
///                                                                             1,803,000        x 1.00 / M      = 1.803
/// Lambda requests      1,000 connects x 2 (authorizer, $connect)               = 2,000
///                      + 1,000 disconnects                                     = 1,000
///                      + 360,000 sends + 1,000 wishes + 1,000 SNS events       = 362,000
///                      + 57,600 stream batches (16 a second)                   = 57,600
///                                                                               422,600        x 0.20 / M      = 0.08452
/// Lambda duration      422,600 x 0.020 s x 0.25 GB                             = 2,113 GB-s    x 0.0000166667  = 0.0352167371
/// Lambda init          50 cold starts x 0.4 s x 0.25 GB                        = 5 GB-s        x 0.0000166667  = 0.0000833335
/// DynamoDB writes      360,000 texts of 33.5 KB: 34 units, table and index     = 24,480,000
///                      + 2,000 records of 1.5 KB (come and go): 2 units,
///                        table and index                                       = 8,000
///                                                                            24,488,000        x 0.625 / M     = 15.305
/// DynamoDB reads       720,000 look-ups of 0.2 KB, eventually consistent: 0.5  = 360,000
///                      + 1,000 of 1.5 KB, consistent: 1                        = 1,000
///                                                                               361,000        x 0.125 / M     = 0.045125
/// stream reads         2 streams x 4 shards x 4 a second x 3,600 s             = 115,200       free            = 0
/// SNS                  1,000 outcomes                                          = 1,000         x 0.50 / M      = 0.0005
/// logs                 422,600 x 512 bytes / 2^30                              = 0.201511... GB x 0.50 / GB    = 0.1007556915
/// logs looked through  0.5 GB                                                                  x 0.005 / GB    = 0.0025
/// CloudWatch           220 metrics                                                             x 0.01 / 1,000  = 0.0022
///                                                                                                      total  = 17.3939007621
/// ```
#[test]
fn a_bill_is_what_it_comes_to_by_hand() {
    let kb = 1024;
    let (sends, places, seconds) = (360_000.0, 1_000.0, 3_600.0);
    let message = Item::message_units(33 * kb) as f64;
    let text = Item::write_units(33 * 1024 + 512) as f64;
    let connection = Item::write_units(1536) as f64;
    assert_eq!((message, text, connection), (2.0, 34.0, 2.0));
    let (connects, disconnects) = (2.0 * 1_000.0, 1_000.0);
    let batches = 16.0 * seconds;
    let invocations = connects + disconnects + sends + 2.0 * places + batches;
    let reads = 720_000.0 * Item::read_units(205, false) + 1_000.0 * Item::read_units(1536, true);
    let usage = Usage::default()
        .with(Item::ConnectionMinutes, 1_000.0 * seconds / 60.0, Basis::Counted)
        .with(Item::WebsocketMessages, sends * (2.0 * message + 1.0) + 3.0 * places, Basis::Counted)
        .with(Item::RestRequests, 0.0, Basis::Counted)
        .with(Item::LambdaRequests, invocations, Basis::Cloudwatch)
        .with(Item::LambdaGbSeconds, invocations * 0.020 * 0.25, Basis::Cloudwatch)
        .with(Item::LambdaInitGbSeconds, 50.0 * 0.4 * 0.25, Basis::Estimated)
        .with(Item::DynamodbWriteUnits, sends * text * 2.0 + 2_000.0 * connection * 2.0, Basis::Estimated)
        .with(Item::DynamodbReadUnits, reads, Basis::Estimated)
        .with(Item::StreamReads, 2.0 * 4.0 * 4.0 * seconds, Basis::Estimated)
        .with(Item::SnsPublishes, places, Basis::Estimated)
        .with(Item::LogsIngestedGb, Item::gigabytes(invocations * 512.0), Basis::Estimated)
        .with(Item::LogsScannedGb, 0.5, Basis::Counted)
        .with(Item::MetricsRead, 220.0, Basis::Counted);
    let mut bill = Bill::of(&usage, PriceList::shipped());
    let by_hand = [
        0.015,
        1.803,
        0.0,
        0.084_52,
        0.035_216_737_1,
        0.000_083_333_5,
        15.305,
        0.045_125,
        0.0,
        0.000_5,
        0.100_755_691_5,
        0.002_5,
        0.002_2,
    ];
    for (item, by_hand) in bill.items.iter().zip(by_hand) {
        let amount = item.amount.unwrap();
        assert!((amount - by_hand).abs() < 1e-9, "{}: {amount} {by_hand}", item.item.name());
    }
    assert!(bill.complete && (bill.total - 17.393_900_762_1).abs() < 1e-9, "{}", bill.total);
    // The whole bill for each thousand places, and for each million of 361,000 pushes.
    bill.divide("placement_request", 1e3, places);
    bill.divide("deliveries", 1e6, 361_000.0);
    assert!((bill.unit_costs[0].amount - 17.393_900_762_1).abs() < 1e-9);
    assert!((bill.unit_costs[1].amount - 48.182_550_587).abs() < 1e-6);
}

/// Quantities of every item, below the first tier of each; some are not known.
fn usages() -> impl Strategy<Value = Usage> {
    let bases = prop::sample::select(&Basis::ALL[..]);
    let quantities =
        prop::collection::vec((0.0..5_000.0_f64, bases, prop::bool::weighted(0.9)), Item::ALL.len());
    quantities.prop_map(|quantities| {
        let mut usage = Usage::default();
        for (item, (amount, basis, known)) in Item::ALL.into_iter().zip(quantities) {
            if known {
                usage.set(item, amount, basis);
            }
        }
        usage
    })
}

proptest! {
    #[test]
    fn a_bill_of_both_is_the_sum_of_both(one in usages(), other in usages()) {
        let prices = PriceList::shipped();
        let both = Bill::of(&(one.clone() + other.clone()), prices);
        let (one, other) = (Bill::of(&one, prices), Bill::of(&other, prices));
        prop_assert_eq!(both.complete, one.complete && other.complete);
        for ((both, one), other) in both.items.iter().zip(&one.items).zip(&other.items) {
            match (both.quantity, one.quantity, other.quantity) {
                (Some(_), Some(_), Some(_)) => {
                    let sum = one.amount.unwrap() + other.amount.unwrap();
                    prop_assert!((both.amount.unwrap() - sum).abs() <= 1e-9 * sum.max(1.0));
                    prop_assert_eq!(both.basis, one.basis.max(other.basis));
                }
                (None, one, other) => prop_assert!(one.is_none() || other.is_none()),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn more_never_costs_less(usage in usages(), more in 0.0..1e12_f64, which in 0..Item::ALL.len()) {
        let (prices, item) = (PriceList::shipped(), Item::ALL[which]);
        let before = Bill::of(&usage, prices);
        let known = usage.quantity(item).map_or(0.0, |quantity| quantity.amount);
        let after = Bill::of(&usage.clone().with(item, known + more, Basis::Counted), prices);
        prop_assert!(after.total >= before.total - 1e-9);
        prop_assert!(!before.complete || after.complete);
    }
}
