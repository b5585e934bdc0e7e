//! The path to the target, step by step: name, connection, certificate, handshake, and its clock beside ours.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reports::printable;
use scenarios::{Plan, redact};
use url::Url;

use crate::auth::Credentials;
use crate::commands::doctor::facts::{HandshakeAnswer, Reached};
use crate::player::Endpoint;
use crate::player::probe::{self, Head};

/// How long one step may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections that are made to each address to learn the round-trip time.
const TRIES: usize = 3;

/// Tries to reach the target, as far as it goes. One handshake is made, with the first player's credentials if there are any.
pub(in crate::commands::doctor) async fn look(
    url: &Url,
    plan: &Plan,
    credentials: Option<&Credentials>,
) -> Reached {
    let mut reached = Reached {
        shown: redact::address(url),
        proxy: None,
        addresses: Err("not tried".into()),
        silent: Vec::new(),
        tcp_ms: None,
        tls: None,
        handshake: None,
        ping_ms: None,
        with_credentials: false,
    };
    let prepared =
        in_time(Endpoint::prepare(url, &plan.way, &plan.protocol, &plan.source_addresses, 1)).await;
    let endpoint = match prepared {
        Ok(endpoint) => endpoint,
        Err(problem) => {
            reached.addresses = Err(problem);
            return reached;
        }
    };
    let addresses = endpoint.addresses();
    reached.proxy = endpoint.proxy();
    reached.addresses = Ok(addresses.iter().map(SocketAddr::ip).collect());
    let tried = join_all(addresses.iter().map(|address| fastest(&endpoint, *address))).await;
    let times = tried.iter().filter_map(|tried| tried.as_ref().ok()).copied();
    let best = times.reduce(f64::min);
    let failed: Vec<_> = addresses
        .into_iter()
        .zip(tried)
        .filter_map(|(address, tried)| Some((address, tried.err()?)))
        .collect();
    let Some(round_trip) = best else {
        let each = failed.iter().map(|(address, problem)| format!("{address}: {problem}"));
        reached.tcp_ms = Some(Err(each.collect::<Vec<_>>().join("; ")));
        return reached;
    };
    reached.silent = failed;
    reached.tcp_ms = Some(Ok(round_trip));
    let mut connection = match in_time(probe::dial(&endpoint, 0)).await {
        Ok(connection) => connection,
        Err(problem) => {
            // Before the encryption there is the proxy, where there is one.
            if reached.proxy.is_none() || problem.starts_with("tls: ") {
                reached.tls = Some(Err(problem));
            } else {
                reached.tcp_ms = Some(Err(problem));
            }
            return reached;
        }
    };
    reached.tls = connection.tls_version().map(Ok);
    // Credentials that cannot be had are a finding of their own; the target is then asked without.
    let mut introduced = endpoint.introduce(0, plan, credentials).await;
    if introduced.is_err() && credentials.is_some() {
        introduced = endpoint.introduce(0, plan, None).await;
    }
    let introduction = match introduced {
        Ok(introduction) => introduction,
        Err(error) => {
            reached.handshake = Some(Err(printable::line(&error.to_string()).into_owned()));
            return reached;
        }
    };
    reached.with_credentials = introduction.proves;
    let before = Instant::now();
    let mut head = in_time(probe::upgrade(&endpoint, &mut connection, introduction)).await;
    let took_ms = milliseconds(before);
    let rest =
        head.as_mut().ok().filter(|head| head.status == 101).map(|head| std::mem::take(&mut head.rest));
    reached.handshake = Some(head.map(|Head { status, date, reason, .. }| HandshakeAnswer {
        status,
        reason,
        took_ms,
        clock:
            date.and_then(|date| {
                offset(&date, Timestamp::now(), round_trip.max(took_ms.min(round_trip * 2.0)))
            }),
    }));
    if let Some(rest) = rest {
        let before = Instant::now();
        reached.ping_ms = Some(in_time(connection.ping(rest)).await.map(|()| milliseconds(before)));
    }
    reached
}

/// The fastest of a few connections to one address, in milliseconds.
async fn fastest(endpoint: &Endpoint, address: SocketAddr) -> Result<f64, String> {
    let mut fastest = f64::MAX;
    for _ in 0..TRIES {
        let before = Instant::now();
        in_time(probe::try_tcp(endpoint, address)).await?;
        fastest = fastest.min(milliseconds(before));
    }
    Ok(fastest)
}

/// The server's clock minus ours in seconds, and by how much that may be wrong: the header has whole seconds, and the
/// answer was on its way for some part of the round trip.
fn offset(date: &str, now: Timestamp, round_trip_ms: f64) -> Option<(f64, f64)> {
    let date = rfc2822::parse(date).ok()?.timestamp();
    let seconds = |at: Timestamp| at.as_microsecond() as f64 / 1e6;
    let half_way = round_trip_ms / 2_000.0;
    Some((seconds(date) + 0.5 - (seconds(now) - half_way), 0.5 + half_way))
}

async fn in_time<T, E: std::fmt::Display>(step: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(result) => result.map_err(|error| printable::line(&error.to_string()).into_owned()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_compared_within_the_headers_second() {
        let now: Timestamp = "2026-11-25T10:00:07.250Z".parse().unwrap();
        let (offset_s, error_s) = offset("Wed, 25 Nov 2026 10:00:07 GMT", now, 100.0).unwrap();
        assert!((offset_s - 0.3).abs() < 1e-6 && (error_s - 0.55).abs() < 1e-6, "{offset_s} ± {error_s}");
        let (offset_s, _) = offset("Wed, 25 Nov 2026 10:02:07 GMT", now, 0.0).unwrap();
        assert!((offset_s - 120.25).abs() < 1e-6, "{offset_s}");
        assert_eq!(offset("tomorrow", now, 0.0), None);
    }
}
