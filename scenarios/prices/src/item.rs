//! What AWS bills, item by item.

use serde::Serialize;

/// Something that AWS bills. The order is that of a bill: along a message's way, then what watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// Minutes that sockets are open, summed.
    ConnectionMinutes,
    /// Messages in both directions, each counted once for every 32 KB begun ([`Item::message_units`]).
    WebsocketMessages,
    /// Requests to a REST API.
    RestRequests,
    /// Invocations of Lambda functions, authorizers among them.
    LambdaRequests,
    /// Gigabytes of a function's memory times seconds that it ran.
    LambdaGbSeconds,
    /// The same of initialisation: cold starts. It has the price of [`Item::LambdaGbSeconds`].
    LambdaInitGbSeconds,
    /// DynamoDB on demand: writes, each counted once for every 1 KB begun ([`Item::write_units`]), indexes included.
    DynamodbWriteUnits,
    /// DynamoDB on demand: reads, each counted once for every 4 KB begun; eventually consistent ones half ([`Item::read_units`]).
    DynamodbReadUnits,
    /// `GetRecords` calls on DynamoDB streams.
    StreamReads,
    /// Publishes to SNS, each counted once for every 64 KB begun.
    SnsPublishes,
    /// Gigabytes that CloudWatch Logs takes in.
    LogsIngestedGb,
    /// Gigabytes that CloudWatch Logs Insights looks through.
    LogsScannedGb,
    /// Metrics that `GetMetricData` was asked for: reading CloudWatch itself.
    MetricsRead,
}

impl Item {
    /// All of them, in the order of a bill.
    pub const ALL: [Self; 13] = [
        Self::ConnectionMinutes,
        Self::WebsocketMessages,
        Self::RestRequests,
        Self::LambdaRequests,
        Self::LambdaGbSeconds,
        Self::LambdaInitGbSeconds,
        Self::DynamodbWriteUnits,
        Self::DynamodbReadUnits,
        Self::StreamReads,
        Self::SnsPublishes,
        Self::LogsIngestedGb,
        Self::LogsScannedGb,
        Self::MetricsRead,
    ];

    /// Its key in files and documents.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::ConnectionMinutes => "connection_minutes",
            Self::WebsocketMessages => "websocket_messages",
            Self::RestRequests => "rest_requests",
            Self::LambdaRequests => "lambda_requests",
            Self::LambdaGbSeconds => "lambda_gb_seconds",
            Self::LambdaInitGbSeconds => "lambda_init_gb_seconds",
            Self::DynamodbWriteUnits => "dynamodb_write_units",
            Self::DynamodbReadUnits => "dynamodb_read_units",
            Self::StreamReads => "stream_reads",
            Self::SnsPublishes => "sns_publishes",
            Self::LogsIngestedGb => "logs_ingested_gb",
            Self::LogsScannedGb => "logs_scanned_gb",
            Self::MetricsRead => "metrics_read",
        }
    }

    /// The item of a key.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.key() == key)
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectionMinutes => "connection minutes",
            Self::WebsocketMessages => "WebSocket messages",
            Self::RestRequests => "REST requests",
            Self::LambdaRequests => "Lambda requests",
            Self::LambdaGbSeconds => "Lambda duration",
            Self::LambdaInitGbSeconds => "Lambda initialisation",
            Self::DynamodbWriteUnits => "DynamoDB writes",
            Self::DynamodbReadUnits => "DynamoDB reads",
            Self::StreamReads => "stream reads by Lambda",
            Self::SnsPublishes => "SNS publishes",
            Self::LogsIngestedGb => "logs taken in",
            Self::LogsScannedGb => "logs looked through",
            Self::MetricsRead => "CloudWatch metrics read",
        }
    }

    /// What its quantity counts.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::ConnectionMinutes => "minutes",
            Self::WebsocketMessages => "messages of 32 KB",
            Self::RestRequests | Self::LambdaRequests => "requests",
            Self::LambdaGbSeconds | Self::LambdaInitGbSeconds => "GB-seconds",
            Self::DynamodbWriteUnits => "write units",
            Self::DynamodbReadUnits => "read units",
            Self::StreamReads => "reads",
            Self::SnsPublishes => "publishes",
            Self::LogsIngestedGb | Self::LogsScannedGb => "GB",
            Self::MetricsRead => "metrics",
        }
    }

    /// What a message of so many bytes counts as: one for every 32 KB begun, one at least.
    ///
    /// Source: aws.amazon.com/api-gateway/pricing, WebSocket APIs.
    #[must_use]
    #[inline]
    pub const fn message_units(bytes: usize) -> u64 {
        units(bytes as u64, 32 * 1024)
    }

    /// What the write of an item of so many bytes counts as: one for every 1 KB begun, one at least.
    ///
    /// Source: aws.amazon.com/dynamodb/pricing/on-demand.
    #[must_use]
    pub const fn write_units(bytes: u64) -> u64 {
        units(bytes, 1024)
    }

    /// What the read of an item of so many bytes counts as: one for every 4 KB begun, one at least; half of it where it is
    /// eventually consistent.
    ///
    /// Source: aws.amazon.com/dynamodb/pricing/on-demand.
    #[must_use]
    pub fn read_units(bytes: u64, consistent: bool) -> f64 {
        let units = units(bytes, 4 * 1024) as f64;
        if consistent { units } else { units / 2.0 }
    }

    /// Gigabytes, as AWS counts them, of so many bytes.
    #[must_use]
    pub fn gigabytes(bytes: f64) -> f64 {
        bytes / f64::from(1 << 30)
    }
}

/// Units that an amount begins, one at least.
#[inline]
const fn units(amount: u64, unit: u64) -> u64 {
    if amount <= unit { 1 } else { amount.div_ceil(unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_a_unit_counts_as_one() {
        let kb = 1024;
        let messages = [0, 1, 32 * kb, 32 * kb + 1, 33 * kb, 64 * kb, 128 * kb];
        assert_eq!(messages.map(Item::message_units), [1, 1, 1, 2, 2, 2, 4]);
        assert_eq!([0, 1024, 1025, 1536, 2048].map(Item::write_units), [1, 1, 2, 2, 2]);
        assert_eq!([4096, 4097].map(|bytes| Item::read_units(bytes, true)), [1.0, 2.0]);
        assert_eq!([4096, 4097].map(|bytes| Item::read_units(bytes, false)), [0.5, 1.0]);
    }

    #[test]
    fn every_key_leads_back_to_its_item_as_it_is_serialised() {
        for item in Item::ALL {
            assert_eq!(Item::of_key(item.key()), Some(item));
            assert_eq!(serde_json::to_value(item).ok(), Some(item.key().into()));
        }
        assert!(Item::ALL.is_sorted());
        assert_eq!(Item::of_key("taxes"), None);
    }
}
