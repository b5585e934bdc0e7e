//! Limits, latencies and faults of the front door, all settable.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::Delay;

/// The `[gateway]` section of a profile. The default is that of `instant`: AWS's sizes and time limits, no
/// throttles, no latency, no faults. A rate or time of zero switches the thing off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayProfile {
    /// Longest frame that a client may send; more closes the socket with 1009.
    #[schemars(range(min = 1))]
    pub max_frame_bytes: usize,
    /// Longest message in either direction; more closes the socket with 1009, or answers 413 to a push.
    #[schemars(range(min = 1))]
    pub max_message_bytes: usize,
    /// After so long without a data frame in either direction the socket is closed with 1001.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub idle_timeout_s: f64,
    /// Longest life of a connection, which is then closed with 1001.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub lifetime_s: f64,
    /// How long a Lambda behind a route may take.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub integration_timeout_s: f64,
    /// How long a client may take to send its handshake, or the head of a request to the control plane.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub handshake_timeout_s: f64,
    /// New connections a second (429 beyond them).
    pub connections_per_second: u32,
    /// Messages, pushes and REST requests a second, together (429 beyond them).
    pub requests_per_second: u32,
    /// How many requests may come at once before `requests_per_second` counts.
    pub request_burst: u32,
    /// Messages of one connection that are handled at the same time; further ones wait in the socket.
    #[schemars(range(min = 1))]
    pub in_flight_per_connection: usize,
    /// Bytes that wait for one slow client before a push to it answers 429.
    #[schemars(range(min = 1))]
    pub outgoing_bytes_per_connection: usize,
    /// Whether the body of a route's answer reaches the client although its status is not 2xx. Reports about AWS
    /// disagree; without it the client sees `Internal server error`.
    pub forward_error_bodies: bool,

    /// Added to every route answer.
    pub ack_delay: Delay,
    /// Added to every push, while the pushing Lambda waits.
    pub push_delay: Delay,

    /// Fault: share of pushes that are accepted and never sent.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub push_drop_rate: f64,
    /// Fault: share of pushes that are sent twice.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub push_duplicate_rate: f64,
    /// Fault: share of pushes that are held back until the next push to the same socket has overtaken them.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub push_reorder_rate: f64,
    /// The longest that such a push is held back.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub push_reorder_hold_s: f64,
    /// Fault: share of frames before which a frame of garbage is sent.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub garbage_rate: f64,
    /// Fault: share of handshakes that are refused.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub handshake_reject_rate: f64,
    /// The HTTP status that they are refused with.
    #[schemars(range(min = 400, max = 599))]
    pub handshake_reject_status: u16,
    /// Fault: share of connections that are cut, without a close frame.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub cut_rate: f64,
    /// How long after its opening such a connection is cut.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub cut_after_s: f64,
}

impl Default for GatewayProfile {
    fn default() -> Self {
        Self {
            max_frame_bytes: 32 * 1_024,
            max_message_bytes: 128 * 1_024,
            idle_timeout_s: 600.0,
            lifetime_s: 7_200.0,
            integration_timeout_s: 29.0,
            handshake_timeout_s: 10.0,
            connections_per_second: 0,
            requests_per_second: 0,
            request_burst: 0,
            in_flight_per_connection: 64,
            outgoing_bytes_per_connection: 256 * 1_024,
            forward_error_bodies: true,
            ack_delay: Delay::default(),
            push_delay: Delay::default(),
            push_drop_rate: 0.0,
            push_duplicate_rate: 0.0,
            push_reorder_rate: 0.0,
            push_reorder_hold_s: 1.0,
            garbage_rate: 0.0,
            handshake_reject_rate: 0.0,
            handshake_reject_status: 429,
            cut_rate: 0.0,
            cut_after_s: 0.0,
        }
    }
}

/// A value of the section that cannot be meant.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GatewayProfileError {
    /// Not a share.
    #[error("gateway.{key} is {value}; a rate lies between 0 and 1")]
    Rate {
        /// The key.
        key: &'static str,
        /// Its value.
        value: f64,
    },
    /// A push can suffer one fault only.
    #[error(
        "gateway.push_drop_rate, push_duplicate_rate and push_reorder_rate add up to {0}; keep them at 1 or less"
    )]
    PushFaults(f64),
    /// Not a length of time.
    #[error("gateway.{key} is {value}; give seconds from 0 (off) up to 1e9")]
    Seconds {
        /// The key.
        key: &'static str,
        /// Its value.
        value: f64,
    },
    /// Not an HTTP error.
    #[error("gateway.handshake_reject_status is {0}; give an HTTP status from 400 to 599")]
    Status(u16),
    /// Nothing could ever be sent.
    #[error("gateway.{0} is 0; give at least 1")]
    Zero(&'static str),
}

impl GatewayProfile {
    /// Refuses values that cannot be meant.
    ///
    /// # Errors
    /// [`GatewayProfileError`] names the first such key and what it may hold.
    pub fn check(&self) -> Result<(), GatewayProfileError> {
        let rates = [
            ("push_drop_rate", self.push_drop_rate),
            ("push_duplicate_rate", self.push_duplicate_rate),
            ("push_reorder_rate", self.push_reorder_rate),
            ("garbage_rate", self.garbage_rate),
            ("handshake_reject_rate", self.handshake_reject_rate),
            ("cut_rate", self.cut_rate),
        ];
        if let Some(&(key, value)) = rates.iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            return Err(GatewayProfileError::Rate { key, value });
        }
        let faults = self.push_drop_rate + self.push_duplicate_rate + self.push_reorder_rate;
        if faults > 1.0 {
            return Err(GatewayProfileError::PushFaults(faults));
        }
        let times = [
            ("idle_timeout_s", self.idle_timeout_s),
            ("lifetime_s", self.lifetime_s),
            ("integration_timeout_s", self.integration_timeout_s),
            ("handshake_timeout_s", self.handshake_timeout_s),
            ("push_reorder_hold_s", self.push_reorder_hold_s),
            ("cut_after_s", self.cut_after_s),
        ];
        if let Some(&(key, value)) = times.iter().find(|(_, value)| !(0.0..=1e9).contains(value)) {
            return Err(GatewayProfileError::Seconds { key, value });
        }
        if !(400..600).contains(&self.handshake_reject_status) {
            return Err(GatewayProfileError::Status(self.handshake_reject_status));
        }
        let sizes = [
            ("max_frame_bytes", self.max_frame_bytes),
            ("max_message_bytes", self.max_message_bytes),
            ("in_flight_per_connection", self.in_flight_per_connection),
            ("outgoing_bytes_per_connection", self.outgoing_bytes_per_connection),
        ];
        sizes
            .iter()
            .find(|(_, size)| *size == 0)
            .map_or(Ok(()), |&(key, _)| Err(GatewayProfileError::Zero(key)))
    }
}

/// A time limit of the profile; none when it is switched off.
pub(crate) fn limit(seconds: f64) -> Option<Duration> {
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_sound_and_mistakes_are_named() {
        let sound = GatewayProfile::default();
        assert_eq!(sound.check(), Ok(()));
        let refusal = |profile: GatewayProfile| profile.check().unwrap_err().to_string();
        assert!(
            refusal(GatewayProfile { push_drop_rate: 1.5, ..sound.clone() })
                .contains("gateway.push_drop_rate is 1.5")
        );
        let faults = GatewayProfile { push_drop_rate: 0.6, push_duplicate_rate: 0.6, ..sound.clone() };
        assert!(refusal(faults).contains("add up to 1.2"));
        assert!(refusal(GatewayProfile { cut_after_s: f64::NAN, ..sound.clone() }).contains("cut_after_s"));
        assert!(refusal(GatewayProfile { handshake_reject_status: 200, ..sound.clone() }).contains("200"));
        assert!(refusal(GatewayProfile { max_frame_bytes: 0, ..sound }).contains("max_frame_bytes"));
    }
}
