//! The AWS account that the stack passes for.

/// Region in its ARNs and events.
pub const REGION: &str = "us-east-1";
/// Account in its ARNs and events.
pub(crate) const ACCOUNT_ID: &str = "000000000000";

/// The ARN of one of its resources.
pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}")
}
