//! Token buckets of the account: new connections, and requests of every kind.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::profile::GatewayProfile;

/// The buckets; a rate of zero has none.
#[derive(Debug)]
pub(super) struct Limits {
    connections: Option<DefaultDirectRateLimiter>,
    requests: Option<DefaultDirectRateLimiter>,
}

impl Limits {
    /// Full buckets.
    pub(super) fn new(profile: &GatewayProfile) -> Self {
        Self {
            connections: bucket(profile.connections_per_second, 0),
            requests: bucket(profile.requests_per_second, profile.request_burst),
        }
    }

    /// Takes a token for a handshake; `false` if it is refused.
    pub(super) fn admits_connection(&self) -> bool {
        self.connections.as_ref().is_none_or(|bucket| bucket.check().is_ok())
    }

    /// Takes a token for a message, a push or a REST request; `false` if it is refused.
    pub(super) fn admits_request(&self) -> bool {
        self.requests.as_ref().is_none_or(|bucket| bucket.check().is_ok())
    }
}

/// The default burst of a bucket is one second of its rate.
fn bucket(per_second: u32, burst: u32) -> Option<DefaultDirectRateLimiter> {
    let quota = Quota::per_second(NonZeroU32::new(per_second)?);
    Some(RateLimiter::direct(NonZeroU32::new(burst).map_or(quota, |burst| quota.allow_burst(burst))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_no_rate_means_no_limit() {
        let profile =
            GatewayProfile { requests_per_second: 1, request_burst: 3, ..GatewayProfile::default() };
        let limits = Limits::new(&profile);
        assert_eq!((0..10).filter(|_| limits.admits_request()).count(), 3);
        assert!((0..10_000).all(|_| limits.admits_connection()));
    }
}
