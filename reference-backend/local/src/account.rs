//! The AWS account that the stack passes for.

/// Region in its ARNs and events.
pub const REGION: &str = "us-east-1";
/// Account in its ARNs and events.
pub(crate) const ACCOUNT_ID: &str = "000000000000";
