//! The rules of every HTTP listener of the stack: time-outs, size limits, and accepted hosts and origins.
//!
//! The control plane has no access control, and a web page in a browser on this machine can reach loopback: by its
//! address, or by a host name that resolves to 127.0.0.1 (DNS rebinding). The first shows in `Origin` and
//! `Sec-Fetch-Site`, the second in `Host`; a page can change none of them.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// API Gateway's limit of a request.
const MAX_BODY: usize = 10 * 1_024 * 1_024;
/// Longest path: API Gateway's limit of a URL.
const MAX_PATH: usize = 4_096;
/// Longest path and query. A ticket travels in a query.
const MAX_URI: usize = 16 * 1_024;
/// Longest request head.
const MAX_HEAD: usize = 64 * 1_024;
/// Time-out of a body.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// Header of the browser: whether the request is cross-site. A page cannot set it.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The hosts that a control plane accepts.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    listening: IpAddr,
    named: Arc<[String]>,
}

impl Hosts {
    /// The addresses of loopback, the listen address, and these names.
    pub(super) fn new(listening: IpAddr, named: &[String]) -> Self {
        Self { listening, named: named.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Applies these rules to every route of `router`.
    pub(super) fn guard<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        router.route_layer(from_fn_with_state(self, only_from_here))
    }

    /// Whether a host is accepted: an IP address, which cannot be rebound, or one of the names.
    fn know(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = address.to_canonical();
            return address.is_loopback() || self.listening.is_unspecified() || address == self.listening;
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        host == "localhost" || host.ends_with(".localhost") || self.named.contains(&host)
    }

    fn know_authority(&self, authority: &str) -> bool {
        authority.parse::<Authority>().is_ok_and(|authority| self.know(authority.host()))
    }

    /// Why a request is refused, if it is.
    fn refuse(&self, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let mut hosts: Vec<String> = headers.get_all(header::HOST).iter().map(text).collect();
        hosts.extend(uri.authority().map(ToString::to_string));
        if hosts.is_empty() || !hosts.iter().all(|host| self.know_authority(host)) {
            return Some(
                "the control plane is asked by an address of this machine, as localhost, or by a name that was given to \
                 `serve` with --allow-host",
            );
        }
        let ours = |origin: &HeaderValue| {
            let origin = text(origin).parse::<Uri>();
            origin.is_ok_and(|origin| origin.host().is_some_and(|host| self.know(host)))
        };
        let foreign = !headers.get_all(header::ORIGIN).iter().all(ours)
            || headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site");
        foreign.then_some("pages of other sites may not ask the control plane")
    }
}

async fn only_from_here(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    match hosts.refuse(request.uri(), request.headers()) {
        Some(reason) => refusal(StatusCode::FORBIDDEN, &format!("Forbidden: {reason}")),
        None => next.run(request).await,
    }
}

/// Limits every request to `router` in size and time.
pub(super) fn bounded(router: Router) -> Router {
    router.layer(from_fn(whole))
}

async fn whole(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().len() > MAX_PATH || uri.path_and_query().is_some_and(|uri| uri.as_str().len() > MAX_URI) {
        return refusal(StatusCode::URI_TOO_LONG, "Request-URI too long");
    }
    let (head, body) = request.into_parts();
    match tokio::time::timeout(BODY_PATIENCE, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => next.run(Request::from_parts(head, Body::from(body))).await,
        Ok(Err(_)) => refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long"),
        Err(_) => refusal(StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
    }
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// Serves until `stopped`, then finishes the requests in progress. `head_patience` is the time-out for the head of a
/// request, from the end of the one before.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    head_patience: Option<Duration>,
    stopped: CancellationToken,
) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stopped.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let conversation = converse(stream, peer, router.clone(), head_patience, stopped.clone());
                connections.spawn(conversation);
            }
            Err(error) => {
                // Mostly EMFILE: descriptors come back as connections end, so trying again is the remedy.
                tracing::warn!(%error, "cannot accept a request; raise the limit of open files");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    head_patience: Option<Duration>,
    stopped: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot switch off Nagle's algorithm");
    }
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = service.call(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_patience).max_buf_size(MAX_HEAD);
    let conversation = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(conversation);
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        () = stopped.cancelled() => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection to the control plane failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(hosts: &Hosts, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        hosts.refuse(&Uri::from_static("/"), &map).is_some()
    }

    #[test]
    fn this_machine_is_known_and_a_name_must_be_named() {
        let hosts = Hosts::new(IpAddr::from([127, 0, 0, 1]), &["Backend.test".into()]);
        for own in [
            "127.0.0.1:8081",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]:8081",
            "localhost:8081",
            "LOCALHOST.",
            "api.localhost",
            "backend.TEST:8081",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(!refused(&hosts, &[("host", own)]), "{own}");
        }
        for foreign in [
            "evil.example:8081",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "192.0.2.1:8081",
            "a@b@c",
            "",
        ] {
            assert!(refused(&hosts, &[("host", foreign)]), "{foreign}");
        }
        assert!(refused(&hosts, &[]), "no host at all");
        assert!(refused(&hosts, &[("host", "localhost"), ("host", "evil.example")]), "one of two");
        let everywhere = Hosts::new(IpAddr::from([0, 0, 0, 0]), &[]);
        assert!(!refused(&everywhere, &[("host", "192.0.2.1:8081")]));
        assert!(refused(&everywhere, &[("host", "evil.example")]));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let hosts = Hosts::new(IpAddr::from([127, 0, 0, 1]), &[]);
        let with = |name, value| refused(&hosts, &[("host", "127.0.0.1:8081"), (name, value)]);
        assert!(!with("origin", "http://localhost:3000") && !with("origin", "http://127.0.0.1:8081"));
        assert!(
            with("origin", "https://evil.example") && with("origin", "null") && with("origin", "file://")
        );
        assert!(with(SEC_FETCH_SITE, "cross-site") && !with(SEC_FETCH_SITE, "same-origin"));
    }
}
