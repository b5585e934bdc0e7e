//! What AWS asks: list prices of us-east-1 in US dollars, each with its source, in one place.
//!
//! Prices change and differ between Regions: an estimate made with them is an order of magnitude for a decision, not a
//! bill. No free tier, no discount, no traffic out of AWS.

/// When the prices were collected: from AWS's pages and, where those were out of reach, from what others quote of them.
pub(crate) const AS_OF: &str = "November 2026";
/// Where they apply.
pub(crate) const REGION: &str = "us-east-1";

/// A million of something.
const MILLION: f64 = 1e-6;

/// API Gateway, WebSocket: a minute of one connection. aws.amazon.com/api-gateway/pricing.
pub(crate) const CONNECTION_MINUTE: f64 = 0.25 * MILLION;
/// API Gateway, WebSocket: a message in either direction, for each 32 KB begun; up to a thousand million a month.
/// aws.amazon.com/api-gateway/pricing.
pub(crate) const MESSAGE: f64 = 1.0 * MILLION;
/// API Gateway: what one message unit holds, in bytes.
pub(crate) const MESSAGE_UNIT: f64 = 32.0 * 1024.0;
/// API Gateway, REST API (`AWS::ApiGateway::RestApi`): a request; the first 333 million a month.
/// aws.amazon.com/api-gateway/pricing.
pub(crate) const REST_REQUEST: f64 = 3.50 * MILLION;
/// Lambda: a request. aws.amazon.com/lambda/pricing.
pub(crate) const INVOCATION: f64 = 0.20 * MILLION;
/// Lambda on x86: a second with a gigabyte of memory; initialisation counts since August 2025.
/// aws.amazon.com/lambda/pricing.
pub(crate) const GB_SECOND: f64 = 0.000_016_666_7;
/// DynamoDB on demand: a write request unit, up to 1 KB. aws.amazon.com/dynamodb/pricing/on-demand.
pub(crate) const WRITE_UNIT: f64 = 0.625 * MILLION;
/// DynamoDB on demand: a read request unit, up to 4 KB, strongly consistent; half of it if eventually consistent.
/// aws.amazon.com/dynamodb/pricing/on-demand. Reads of a stream by Lambda are free.
pub(crate) const READ_UNIT: f64 = 0.125 * MILLION;
/// SNS: a publish; the delivery to Lambda is free. aws.amazon.com/sns/pricing.
pub(crate) const PUBLISH: f64 = 0.50 * MILLION;
