//! From facts to findings: what was found, what it means for a run, what to change and how. Pure.

mod access;
mod clock;
mod limits;
mod target;

use super::facts::Facts;
use super::finding::Finding;

/// The findings of all checks, in the order of a run: machine, clocks, credentials, target.
pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut findings = limits::limits(&facts.machine, facts.need.as_ref());
    findings.extend(clock::clock(&facts.machine));
    findings.push(clock::time(&facts.machine));
    findings.extend(facts.access.iter().map(access::access));
    findings.extend(facts.warnings.iter().map(|warning| access::idle(warning)));
    let target = facts.target.as_ref().into_iter();
    findings.extend(target.flat_map(|reached| target::target(reached, facts.need.as_ref())));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::facts::{Access, HandshakeAnswer, Machine, Need, Reached};
    use crate::commands::doctor::finding::Status;

    fn reached(status: u16, clock: Option<(f64, f64)>) -> Reached {
        Reached {
            shown: "wss://example/Stage".into(),
            proxy: None,
            addresses: Ok(vec!["192.0.2.1".parse().unwrap()]),
            silent: Vec::new(),
            tcp_ms: Some(Ok(12.0)),
            tls: Some(Ok("TLS 1.3".into())),
            handshake: Some(Ok(HandshakeAnswer { status, reason: None, took_ms: 30.0, clock })),
            ping_ms: Some(Ok(12.0)),
            with_credentials: false,
        }
    }

    fn facts(target: Reached, need: Option<Need>) -> Facts {
        let machine = Machine {
            clock_source: Some("tsc".into()),
            time_daemon: Some("chronyd".into()),
            ..Machine::default()
        };
        Facts { machine, need, access: Vec::new(), warnings: Vec::new(), target: Some(target) }
    }

    fn status_of(check: &str, facts: &Facts) -> Status {
        findings(facts).into_iter().find(|finding| finding.check == check).unwrap().status
    }

    #[test]
    fn an_answer_is_judged_by_the_credentials_that_were_sent() {
        let need = Some(Need { players: 1, ..Need::default() });
        let handshake = |reached, need| status_of("handshake", &facts(reached, need));
        assert_eq!(handshake(reached(101, None), need), Status::Ok);
        assert_eq!(handshake(reached(401, None), None), Status::Ok, "it only requires credentials");
        assert_eq!(handshake(reached(403, None), None), Status::Warn, "or there is no such stage");
        assert_eq!(handshake(reached(401, None), need), Status::Fail);
        assert_eq!(handshake(Reached { with_credentials: true, ..reached(403, None) }, None), Status::Fail);
        for broken in [200, 404, 429, 502] {
            assert_eq!(handshake(reached(broken, None), None), Status::Fail, "{broken}");
        }
    }

    #[test]
    fn clocks_are_judged_by_what_is_certain() {
        let offset = |clock, signed| {
            let need = Some(Need { signed, ..Need::default() });
            status_of("clock offset", &facts(reached(101, Some(clock)), need))
        };
        assert_eq!(offset((2.4, 0.5), false), Status::Ok);
        assert_eq!(offset((-2.6, 0.5), false), Status::Warn);
        assert_eq!(offset((301.0, 0.5), false), Status::Warn);
        assert_eq!(offset((301.0, 0.5), true), Status::Fail);
    }

    #[test]
    fn an_address_that_does_not_accept_connections_is_reported_beside_one_that_does() {
        let half =
            Reached { silent: vec![("[::1]:8080".parse().unwrap(), "refused".into())], ..reached(101, None) };
        let all = findings(&facts(half, None));
        let address = all.iter().find(|finding| finding.check == "address").unwrap();
        assert_eq!((address.status, address.found.as_str()), (Status::Warn, "[::1]:8080"));
        assert!(all.iter().any(|finding| finding.check == "connection" && finding.status == Status::Ok));
    }

    #[test]
    fn a_refusal_has_its_reason_and_idle_sockets_their_remedy() {
        let mut refused = reached(403, None);
        let reason = Some("HTTP 403 {\"message\":\"quota\"}".into());
        refused.handshake = Some(Ok(HandshakeAnswer { status: 403, reason, took_ms: 3.0, clock: None }));
        let mut facts = facts(refused, None);
        facts.warnings = vec!["about 9 of 9 sockets would be cut; set sockets.heartbeat = \"5m\"".into()];
        let all = findings(&facts);
        let of = |check| all.iter().find(|finding: &&Finding| finding.check == check).unwrap();
        assert_eq!(of("handshake").found, "HTTP 403 after 3.0 ms ({\"message\":\"quota\"})");
        assert_eq!(of("idle").remedy.as_deref(), Some("set sockets.heartbeat = \"5m\""));
    }

    #[test]
    fn checks_end_at_the_first_step_that_fails() {
        let lost = Reached {
            tcp_ms: Some(Err("refused".into())),
            tls: None,
            handshake: None,
            ping_ms: None,
            ..reached(101, None)
        };
        let all = findings(&facts(lost, None));
        let last = all.last().unwrap();
        assert_eq!((last.check, last.status), ("connection", Status::Fail));
        assert!(last.to_string().contains("refused") && last.to_string().contains("firewall"), "{last}");
    }

    #[test]
    fn clocks_and_access_have_their_remedies() {
        let mut facts = facts(reached(101, None), None);
        facts.machine.clock_source = Some("hpet".into());
        facts.machine.oversleep_us = (60, 9_000);
        facts.machine.time_daemon = None;
        let outcome = Err("no credentials".into());
        facts.access = vec![Access { check: "aws", what: "the AWS chain".into(), outcome, vital: true }];
        for (check, status) in [
            ("clock", Status::Warn),
            ("timers", Status::Warn),
            ("time sync", Status::Warn),
            ("aws", Status::Fail),
        ] {
            assert_eq!(status_of(check, &facts), status, "{check}");
        }
        assert!(
            findings(&facts).iter().all(|finding| finding.status == Status::Ok || finding.remedy.is_some())
        );
    }
}
