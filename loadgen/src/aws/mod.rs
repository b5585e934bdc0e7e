//! AWS's own APIs beside CloudWatch's: a dozen calls that read what is deployed and what its limits are.
//!
//! The SDKs of seven services for a dozen calls would double what a newcomer compiles, so the calls are written out: JSON,
//! signed with AWS Signature Version 4, throttled calls made again, each absent permission named once.

mod access;
mod api;
mod call;
mod refusal;
mod service;

pub(crate) use access::Access;
pub(crate) use api::{Api, Page};
pub(crate) use call::Call;
pub(crate) use refusal::Refusal;
pub(crate) use service::Service;
