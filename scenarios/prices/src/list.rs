//! A price file, checked.

use std::sync::LazyLock;

use documents::{Document, Findings, Mistakes, form};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::item::Item;
use crate::price::Price;

/// What AWS asks in one region: a price for each item, with its date and where it was read.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    /// When the prices were looked up: a month or a day, e.g. `"2026-11"` or `"2026-11-30"`.
    #[schemars(regex(pattern = r"^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$"), extend("examples" = ["2026-11"]))]
    pub as_of: String,
    /// The AWS region whose prices these are, e.g. `"eu-west-1"`.
    #[schemars(regex(pattern = r"^[a-z0-9-]{1,40}$"), extend("examples" = ["us-east-1"]))]
    pub region: String,
    /// The currency of all prices: three letters, e.g. `"USD"`.
    #[schemars(regex(pattern = r"^[A-Z]{3}$"), extend("examples" = ["USD"]))]
    pub currency: String,
    /// The prices. All of them are needed: write `price = 0.0` for what is not paid.
    prices: Prices,
}

/// A price for each item.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Prices {
    /// API Gateway, WebSocket API: a minute of an open socket.
    connection_minutes: Price,
    /// API Gateway, WebSocket API: a message in either direction, for each 32 KB begun.
    websocket_messages: Price,
    /// API Gateway, REST API: a request.
    rest_requests: Price,
    /// Lambda: a request.
    lambda_requests: Price,
    /// Lambda: a second with a gigabyte of memory, initialisation included.
    lambda_gb_seconds: Price,
    /// DynamoDB on demand: a write request unit, up to 1 KB.
    dynamodb_write_units: Price,
    /// DynamoDB on demand: a read request unit, up to 4 KB; an eventually consistent read takes half of one.
    dynamodb_read_units: Price,
    /// DynamoDB Streams: a `GetRecords` call by Lambda.
    stream_reads: Price,
    /// SNS: a publish, for each 64 KB begun.
    sns_publishes: Price,
    /// CloudWatch Logs: a gigabyte that Lambda writes.
    logs_ingested_gb: Price,
    /// CloudWatch Logs Insights: a gigabyte that a query looks through.
    logs_scanned_gb: Price,
    /// CloudWatch: a metric that `GetMetricData` is asked for.
    metrics_read: Price,
}

/// The price file that ships.
const SHIPPED: &str = include_str!("../us-east-1.toml");

/// The JSON Schema (draft 2020-12) of a price file.
#[must_use]
pub fn json_schema() -> Value {
    schemars::schema_for!(PriceList).to_value()
}

impl PriceList {
    /// The prices that ship: those of us-east-1.
    ///
    /// # Panics
    /// Never: a test reads the file that ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static LIST: LazyLock<PriceList> = LazyLock::new(|| {
            PriceList::check("us-east-1.toml", SHIPPED).unwrap_or_else(|mistakes| panic!("{mistakes}"))
        });
        &LIST
    }

    /// Checks a price file's text; `file` names it in messages.
    ///
    /// # Errors
    /// All mistakes at once, each with file, line, key and remedy.
    pub fn check(file: &str, text: &str) -> Result<Self, Mistakes> {
        let document = Document::parse(file, text)?;
        let form::Formed { value, mut mistakes, doubtful, .. } =
            form::check(&document, &json_schema(), &|_, text| Ok(text.into()));
        let mut findings = Findings::new(&document, &mistakes, &doubtful);
        let list = match serde_json::from_value::<Self>(value) {
            Ok(list) => {
                Item::ALL.iter().for_each(|item| tiers(&mut findings, *item, list.price(*item)));
                Some(list)
            }
            Err(error) => {
                findings.wrong("", error.to_string(), "see docs/cost.md for every key");
                None
            }
        };
        mistakes.extend(findings.mistakes);
        list.filter(|_| mistakes.is_empty()).ok_or(Mistakes(mistakes))
    }

    /// The price of an item.
    #[must_use]
    pub const fn price(&self, item: Item) -> &Price {
        let prices = &self.prices;
        match item {
            Item::ConnectionMinutes => &prices.connection_minutes,
            Item::WebsocketMessages => &prices.websocket_messages,
            Item::RestRequests => &prices.rest_requests,
            Item::LambdaRequests => &prices.lambda_requests,
            Item::LambdaGbSeconds | Item::LambdaInitGbSeconds => &prices.lambda_gb_seconds,
            Item::DynamodbWriteUnits => &prices.dynamodb_write_units,
            Item::DynamodbReadUnits => &prices.dynamodb_read_units,
            Item::StreamReads => &prices.stream_reads,
            Item::SnsPublishes => &prices.sns_publishes,
            Item::LogsIngestedGb => &prices.logs_ingested_gb,
            Item::LogsScannedGb => &prices.logs_scanned_gb,
            Item::MetricsRead => &prices.metrics_read,
        }
    }
}

/// Tiers follow each other.
fn tiers(findings: &mut Findings<'_>, item: Item, price: &Price) {
    // Its price is the other's.
    if item == Item::LambdaInitGbSeconds {
        return;
    }
    for (index, pair) in price.tiers.windows(2).enumerate() {
        if pair[0].above >= pair[1].above {
            findings.wrong(
                &format!("/prices/{}/tiers/{}/above", item.key(), index + 1),
                format!(
                    "{} is not above the tier before it, which begins at {}",
                    pair[1].above, pair[0].above
                ),
                "write the tiers in ascending order",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_ships_has_the_list_prices_of_us_east_1() {
        let list = PriceList::shipped();
        assert_eq!((&*list.region, &*list.currency, &*list.as_of), ("us-east-1", "USD", "2026-11"));
        let a_million = |item| list.price(item).of(1e6);
        assert_eq!(a_million(Item::ConnectionMinutes), 0.25);
        assert_eq!(a_million(Item::WebsocketMessages), 1.0);
        assert_eq!(list.price(Item::WebsocketMessages).of(2e9), 1_000.0 + 800.0);
        assert_eq!(a_million(Item::LambdaRequests), 0.2);
        assert!((a_million(Item::LambdaInitGbSeconds) - 16.6667).abs() < 1e-9);
        assert!(list.price(Item::StreamReads).is_free());
        // 10 TB at 0.50, 20 at 0.25, 20 at 0.10, 10 at 0.05: as duckbillgroup.com has it of 60 TB, in TB of 1,024 GB.
        assert!((list.price(Item::LogsIngestedGb).of(61_440.0) - 12_500.0 * 1.024).abs() < 1e-6);
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_a_remedy() {
        let text = SHIPPED
            .replace("as_of = \"2026-11\"", "as_of = \"last week\"")
            .replace("currency = \"USD\"\n", "")
            .replace("[prices.sns_publishes]", "[prices.sns_publish]")
            .replace("price = 0.625", "price = -0.625")
            .replace("above = 1_000_000_000, price = 2.38", "above = 333_000_000, price = 2.38")
            .replace("source = \"https://aws.amazon.com/lambda/pricing/\"", "source = \" \"");
        let told = PriceList::check("mine.toml", &text).unwrap_err().to_string();
        for expected in [
            "mine.toml:6:1: `as_of`: \"last week\" has the wrong form",
            "`currency`",
            "did you mean `sns_publishes`?",
            "`prices.dynamodb_write_units.price`: -0.625 is too small",
            "`prices.rest_requests.tiers.1.above`: 333000000 is not above the tier before it",
            "`prices.lambda_requests.source`",
            "help: ",
        ] {
            assert!(told.contains(expected), "{expected} in {told}");
        }
    }
}
