//! The `[gateway]` section of a profile: limits, latencies and faults.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::Delay;

/// The `[gateway]` section of a profile. The default is that of `instant`: AWS's sizes and time limits, no
/// throttles, no latency, no faults. A rate or time of zero turns the limit or fault off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayProfile {
    /// Maximum size of a client's frame; a larger one closes the socket with 1009.
    #[schemars(range(min = 1))]
    pub max_frame_bytes: usize,
    /// Maximum size of a message in either direction; a larger one closes the socket with 1009, or fails the push with
    /// 413.
    #[schemars(range(min = 1))]
    pub max_message_bytes: usize,
    /// Idle time-out: without a data frame in either direction the socket is closed with 1001.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub idle_timeout_s: f64,
    /// Maximum duration of a connection, which is then closed with 1001.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub lifetime_s: f64,
    /// Time-out of the Lambda behind a route.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub integration_timeout_s: f64,
    /// Time-out for a client to send its handshake, or the head of a request to the control plane.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub handshake_timeout_s: f64,
    /// New connections a second (429 beyond them).
    pub connections_per_second: u32,
    /// Messages, pushes and REST requests a second, together (429 beyond them).
    pub requests_per_second: u32,
    /// Burst of requests above `requests_per_second`.
    pub request_burst: u32,
    /// Messages of one connection that are handled concurrently; further ones wait in the socket.
    #[schemars(range(min = 1))]
    pub in_flight_per_connection: usize,
    /// Buffer of a slow client in bytes; a push beyond it fails with 429.
    #[schemars(range(min = 1))]
    pub outgoing_bytes_per_connection: usize,
    /// Send buffer of each socket in bytes (`SO_SNDBUF`; Linux doubles it), which takes messages before they count as outgoing.
    /// 0: the system's own, which grows to megabytes.
    #[schemars(range(max = 16_777_216))]
    pub send_buffer_bytes: u32,
    /// Whether the client gets the body of a route's answer whose status is not 2xx. Reports about AWS disagree; if
    /// false, the client gets `Internal server error`.
    pub forward_error_bodies: bool,

    /// Latency added to every route answer.
    pub ack_delay: Delay,
    /// Latency added to every push; the Lambda that pushes waits for it.
    pub push_delay: Delay,

    /// Fault: share of pushes that are accepted and never sent.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub push_drop_rate: f64,
    /// Fault: share of pushes that are sent twice.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub push_duplicate_rate: f64,
    /// Fault: share of pushes that are reordered: sent after the next push to the same socket.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub push_reorder_rate: f64,
    /// Maximum time that such a push is delayed.
    #[schemars(range(min = 0.0, max = 1e9))]
    pub push_reorder_hold_s: f64,
    /// Fault: share of frames that are preceded by a malformed frame.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub garbage_rate: f64,
    /// Fault: share of handshakes that are refused.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub handshake_reject_rate: f64,
    /// HTTP status of the refusal.
    #[schemars(range(min = 400, max = 599))]
    pub handshake_reject_status: u16,
    /// Fault: share of connections that are cut, without a close frame.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub cut_rate: f64,
    /// Time from opening until such a connection is cut.
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
            send_buffer_bytes: 0,
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

/// A value of the section is out of range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GatewayProfileError {
    /// Not a rate.
    #[error("gateway.{key} is {value}; a rate lies between 0 and 1")]
    Rate {
        /// The key.
        key: &'static str,
        /// Its value.
        value: f64,
    },
    /// A push has at most one fault.
    #[error(
        "gateway.push_drop_rate, push_duplicate_rate and push_reorder_rate add up to {0}; keep them at 1 or less"
    )]
    PushFaults(f64),
    /// Not a duration.
    #[error("gateway.{key} is {value}; give seconds from 0 (off) up to 1e9")]
    Seconds {
        /// The key.
        key: &'static str,
        /// Its value.
        value: f64,
    },
    /// Not the status of an HTTP error.
    #[error("gateway.handshake_reject_status is {0}; give an HTTP status from 400 to 599")]
    Status(u16),
    /// A limit of 0 would block everything.
    #[error("gateway.{0} is 0; give at least 1")]
    Zero(&'static str),
}

impl GatewayProfile {
    /// Checks the values.
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

/// A time limit of the profile; none if it is turned off.
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
