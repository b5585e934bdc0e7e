//! The path to the target: name, connection, certificate, handshake, ping.

use super::clock;
use crate::commands::doctor::facts::{HandshakeAnswer, Need, Reached};
use crate::commands::doctor::finding::Finding;

/// The path to the target, step by step, as far as it was tried. `need`: what the scenario asks of the machine, if one is named.
pub(super) fn target(reached: &Reached, need: Option<&Need>) -> Vec<Finding> {
    let shown = &reached.shown;
    let mut findings = Vec::new();
    match &reached.addresses {
        Ok(addresses) => findings.push(Finding::ok(
            "name",
            shown.clone(),
            match (addresses.as_slice(), &reached.proxy) {
                (_, Some(proxy)) => format!("reached through the proxy {proxy}, which resolves the name"),
                ([one], None) => format!("one address, {one}"),
                (several, None) => {
                    let each = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    format!("{} addresses; players are spread over those that answer: {each}", several.len())
                }
            },
        )),
        Err(problem) => findings.push(
            Finding::fail("name", shown.clone(), problem.clone())
                .change("check the URL, the resolver and the network"),
        ),
    }
    match &reached.tcp_ms {
        Some(Ok(ms)) => {
            findings.push(Finding::ok(
                "connection",
                shown.clone(),
                format!("opened in {ms:.1} ms: about one round trip"),
            ));
        }
        Some(Err(problem)) => {
            findings.push(Finding::fail("connection", shown.clone(), problem.clone()).change(
                "check that it runs, and that the port is open from here (security group, firewall, VPN)",
            ))
        }
        None => {}
    }
    findings.extend(reached.silent.iter().map(|(address, problem)| {
        Finding::warn(
            "address",
            address.to_string(),
            format!("does not accept connections ({problem}); its players use the other addresses"),
        )
        .change("start the server on that address, or remove the address from the DNS record")
    }));
    match &reached.tls {
        Some(Ok(version)) => {
            findings.push(Finding::ok("tls", version.clone(), "the certificate is trusted"));
        }
        Some(Err(problem)) => findings.push(
            Finding::fail("tls", shown.clone(), problem.clone())
                .change("see the message; name an authority of your own in target.ca_file or SSL_CERT_FILE"),
        ),
        None => {}
    }
    match &reached.handshake {
        Some(Ok(answer)) => {
            findings.push(handshake(shown, answer, reached.with_credentials, need.is_some()));
            let signed = need.is_some_and(|need| need.signed);
            findings.extend(answer.clock.map(|(offset, error)| clock::offset(offset, error, signed)));
        }
        Some(Err(problem)) => findings.push(
            Finding::fail("handshake", shown.clone(), problem.clone())
                .change("check that it is a WebSocket endpoint; an API Gateway URL ends with its stage"),
        ),
        None => {}
    }
    match &reached.ping_ms {
        Some(Ok(ms)) => findings.push(Finding::ok(
            "ping",
            format!("answered after {ms:.1} ms"),
            "the socket works in both directions",
        )),
        Some(Err(problem)) => findings.push(
            Finding::warn(
                "ping",
                problem.clone(),
                "the socket opened, but its control frames are not answered",
            )
            .change("look for a proxy on the way that does not support WebSocket"),
        ),
        None => {}
    }
    findings
}

fn handshake(shown: &str, answer: &HandshakeAnswer, with_credentials: bool, scenario: bool) -> Finding {
    const CHECK: &str = "handshake";
    let said =
        answer.reason.as_deref().and_then(|reason| reason.strip_prefix(&format!("HTTP {}", answer.status)));
    let said = said.map(|said| said.trim_start_matches([',', ' '])).filter(|said| !said.is_empty());
    let said = said.map_or_else(String::new, |said| format!(" ({said})"));
    let found = format!("HTTP {} after {:.1} ms{said}", answer.status, answer.took_ms);
    match answer.status {
        101 if with_credentials => Finding::ok(CHECK, found, "the credentials are accepted"),
        101 => Finding::ok(CHECK, found, "the socket opens"),
        // Without a scenario there are no credentials to send: the target is reachable and requires them.
        401 if !with_credentials && !scenario => {
            Finding::ok(CHECK, found, format!("{shown} answers and requires credentials; name a scenario to test them"))
        }
        403 if !with_credentials && !scenario => {
            Finding::warn(CHECK, found, "rejected without credentials; API Gateway also answers 403 for a stage that does not exist")
                .change("name a scenario to test its credentials, and check the path")
        }
        401 | 403 => Finding::fail(CHECK, found, "the credentials are rejected")
            .change("check `auth.mode`, `auth.placement` and the source of the tokens; the authorizer's log has the reason"),
        404 | 410 => Finding::fail(CHECK, found, "the path does not exist")
            .change("check the path: an API Gateway URL ends with its stage, e.g. /Staging"),
        429 => Finding::fail(CHECK, found, "the target throttles handshakes")
            .change("wait, lower `sockets.connect_rate`, or raise the account's limit (500 new connections a second)"),
        500.. => Finding::fail(CHECK, found, "the target failed").change("check the log of its $connect function and of its authorizer"),
        _ => Finding::fail(CHECK, found, "no WebSocket upgrade").change("use the ws:// or wss:// URL of a WebSocket endpoint"),
    }
}
