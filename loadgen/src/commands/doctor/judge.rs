//! From facts to findings: what was found, what it means for a run, what to change and how. Pure.

use super::facts::{Access, Answer, Facts, KernelClock, Machine, Reached};
use super::{Finding, limits};

/// Sleeps that end this much too late (99th percentile, in microseconds) show in every figure.
const LATE_SLEEP_US: u64 = 2_000;
/// Clock sources that are read without a system call.
const FAST_CLOCKS: [&str; 4] = ["tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"];
/// The kernel's usual timer slack.
const USUAL_SLACK_NS: u64 = 50_000;
/// A clock that is off by more than this shifts CloudWatch's series visibly.
const NOTABLE_OFFSET_S: f64 = 2.0;
/// AWS refuses signatures from a clock that is off by more than five minutes.
const REFUSED_OFFSET_S: f64 = 270.0;

/// Judges everything that was looked at, in the order of a run: machine, clocks, credentials, target.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = limits::judge(&facts.machine, facts.need.as_ref());
    findings.extend(clock(&facts.machine));
    findings.push(time(&facts.machine));
    findings.extend(facts.access.iter().map(access));
    findings.extend(facts.warnings.iter().map(|warning| idle(warning)));
    findings.extend(facts.target.as_ref().into_iter().flat_map(|target| self::target(target, facts)));
    findings
}

fn clock(machine: &Machine) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(source) = &machine.clock_source {
        let found = format!("clock source {source}");
        findings.push(if FAST_CLOCKS.contains(&source.as_str()) {
            Finding::ok("clock", found, "read in tens of nanoseconds")
        } else {
            Finding::warn("clock", found, "each time stamp is a system call")
                .change("`echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource`, if it is offered")
        });
    }
    let (median, late) = machine.oversleep_us;
    let slack = machine.timer_slack_ns.unwrap_or(USUAL_SLACK_NS);
    let found = format!("sleeps end {median} µs late (p99 {late} µs), timer slack {} µs", slack / 1_000);
    findings.push(if late > LATE_SLEEP_US {
        Finding::warn("timers", found, "sends will leave as late; the report shows it as dispatch delay")
            .change("stop other work, give the process cores of its own, or use a machine that is not shared")
    } else if slack > USUAL_SLACK_NS {
        Finding::warn("timers", found, "the kernel may delay every sleeper by that slack")
            .change("start it without the service manager's `TimerSlackNSec=`")
    } else {
        Finding::ok("timers", found, "sends leave on time")
    });
    findings
}

/// The kernel knows best, whoever keeps its clock and wherever they run; programs count where it says no or nothing.
fn time(machine: &Machine) -> Finding {
    const CHECK: &str = "time sync";
    const LINED_UP: &str = "CloudWatch's series line up";
    const SHIFTED: &str = "CloudWatch's series may lie shifted, and signatures be refused";
    const WHY: &str = "`chronyc tracking` or `timedatectl timesync-status` says why; UDP port 123 must be open, on AWS \
                       to 169.254.169.123";
    let daemon = machine.time_daemon.as_deref();
    let synchronized = machine.kernel_clock.map(|clock| clock.synchronized);
    match (machine.kernel_clock, daemon, synchronized.or(machine.time_synchronized)) {
        (Some(KernelClock { synchronized: true, max_error_us, estimated_error_us }), ..) => {
            let milliseconds = |us: u64| us as f64 / 1e3;
            let found = format!(
                "the kernel's clock is synchronised: off by {:.1} ms at most, {:.1} ms by estimate",
                milliseconds(max_error_us),
                milliseconds(estimated_error_us)
            );
            if milliseconds(max_error_us) > NOTABLE_OFFSET_S * 1e3 {
                Finding::warn(CHECK, found, format!("nothing was heard for long: {SHIFTED}")).change(WHY)
            } else {
                Finding::ok(CHECK, found, LINED_UP)
            }
        }
        (_, Some(daemon), Some(false)) => Finding::warn(
            CHECK,
            format!("{daemon} runs, but the clock does not count as synchronised"),
            SHIFTED,
        )
        .change(format!("{WHY}; chrony tells the kernel only with `rtcsync`")),
        (_, Some(daemon), _) => Finding::ok(CHECK, format!("{daemon} keeps the time"), LINED_UP),
        (kernel, None, _) => {
            let found = match kernel {
                Some(_) => "the kernel's clock is not synchronised, and no program here keeps the time",
                None => "no program here keeps the time",
            };
            Finding::warn(CHECK, found, format!("unless the host does, the clock drifts: {SHIFTED}"))
                .change("install and start chrony; on AWS with `server 169.254.169.123 prefer iburst`")
        }
    }
}

fn access(Access { check, what, outcome, vital }: &Access) -> Finding {
    match outcome {
        Ok(said) => Finding::ok(check, what.clone(), said.clone()),
        Err(problem) if *vital => Finding::fail(check, what.clone(), problem.clone())
            .change("what the message says; the run would not start"),
        Err(problem) => Finding::warn(check, what.clone(), problem.clone())
            .change("what the message says; the report would have no series of the server"),
    }
}

/// Told in one sentence: what would happen, and what prevents it.
fn idle(warning: &str) -> Finding {
    let (found, remedy) = warning.split_once("; ").unwrap_or((warning, "set sockets.heartbeat"));
    Finding::warn("idle", found, "those sockets would count as dropped").change(remedy)
}

fn target(reached: &Reached, facts: &Facts) -> Vec<Finding> {
    let shown = &reached.shown;
    let mut findings = Vec::new();
    match &reached.addresses {
        Ok(addresses) => findings.push(Finding::ok(
            "name",
            shown.clone(),
            match (addresses.as_slice(), &reached.proxy) {
                (_, Some(proxy)) => format!("asked through the proxy {proxy}, which resolves the name"),
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
                format!("made in {ms:.1} ms: about one round trip"),
            ));
        }
        Some(Err(problem)) => findings.push(
            Finding::fail("connection", shown.clone(), problem.clone())
                .change("is it running, and is the port open from here (security group, firewall, VPN)?"),
        ),
        None => {}
    }
    findings.extend(reached.silent.iter().map(|(address, problem)| {
        Finding::warn(
            "address",
            address.to_string(),
            format!("takes no connection ({problem}); its players go to the others"),
        )
        .change("start the server on that address, too, or take it out of the name's records")
    }));
    match &reached.tls {
        Some(Ok(version)) => {
            findings.push(Finding::ok("tls", version.clone(), "the certificate is vouched for"));
        }
        Some(Err(problem)) => findings.push(Finding::fail("tls", shown.clone(), problem.clone()).change(
            "what the message says; an authority of your own is named in target.ca_file or SSL_CERT_FILE",
        )),
        None => {}
    }
    match &reached.handshake {
        Some(Ok(answer)) => {
            findings.push(handshake(shown, answer, reached.with_credentials, facts.need.is_some()));
            findings.extend(answer.clock.map(|(offset, error)| offset_of(offset, error, facts)));
        }
        Some(Err(problem)) => findings.push(
            Finding::fail("handshake", shown.clone(), problem.clone())
                .change("is it a WebSocket endpoint? An API Gateway URL ends with its stage"),
        ),
        None => {}
    }
    match &reached.ping_ms {
        Some(Ok(ms)) => findings.push(Finding::ok(
            "ping",
            format!("answered after {ms:.1} ms"),
            "the socket works both ways",
        )),
        Some(Err(problem)) => findings.push(
            Finding::warn(
                "ping",
                problem.clone(),
                "the socket opened, and its control frames are not answered",
            )
            .change("look for a proxy between that does not speak WebSocket"),
        ),
        None => {}
    }
    findings
}

fn handshake(shown: &str, answer: &Answer, with_credentials: bool, scenario: bool) -> Finding {
    const CHECK: &str = "handshake";
    let said =
        answer.reason.as_deref().and_then(|reason| reason.strip_prefix(&format!("HTTP {}", answer.status)));
    let said = said.map(|said| said.trim_start_matches([',', ' '])).filter(|said| !said.is_empty());
    let said = said.map_or_else(String::new, |said| format!(" ({said})"));
    let found = format!("HTTP {} after {:.1} ms{said}", answer.status, answer.took_ms);
    match answer.status {
        101 if with_credentials => Finding::ok(CHECK, found, "the credentials are taken"),
        101 => Finding::ok(CHECK, found, "the socket opens"),
        // Without a scenario there is nothing to present: that the target asks for it is the best of answers.
        401 if !with_credentials && !scenario => {
            Finding::ok(CHECK, found, format!("{shown} answers, and wants credentials; name a scenario to try them"))
        }
        403 if !with_credentials && !scenario => {
            Finding::warn(CHECK, found, "refused without credentials; API Gateway says the same where there is no such stage")
                .change("name a scenario to try its credentials, and check the path")
        }
        401 | 403 => Finding::fail(CHECK, found, "the credentials are refused")
            .change("`auth.mode`, `auth.placement` and where the tokens come from; the authorizer's log says more"),
        404 | 410 => Finding::fail(CHECK, found, "nothing is there")
            .change("the path: an API Gateway URL ends with its stage, e.g. /Staging"),
        429 => Finding::fail(CHECK, found, "the target takes no more handshakes")
            .change("wait, lower `sockets.connect_rate`, or have the account's limit raised (500 new connections a second)"),
        500.. => Finding::fail(CHECK, found, "the target is broken").change("its $connect function's or authorizer's log"),
        _ => Finding::fail(CHECK, found, "no WebSocket upgrade").change("a ws:// or wss:// URL of a WebSocket endpoint"),
    }
}

fn offset_of(offset: f64, error: f64, facts: &Facts) -> Finding {
    const CHECK: &str = "clock offset";
    let found = format!("the target's clock is {offset:+.1} s from ours (± {error:.1} s)");
    let certain = offset.abs() - error;
    let signed = facts.need.is_some_and(|need| need.signed);
    let remedy = "`chronyc makestep`, or start a time service; latencies do not depend on it";
    if signed && certain > REFUSED_OFFSET_S {
        Finding::fail(CHECK, found, "signatures would be refused").change(remedy)
    } else if certain > NOTABLE_OFFSET_S {
        Finding::warn(CHECK, found, "the server's series would lie shifted by as much").change(remedy)
    } else {
        Finding::ok(CHECK, found, "as good as the same")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Status;
    use crate::commands::doctor::facts::Need;

    fn reached(status: u16, clock: Option<(f64, f64)>) -> Reached {
        Reached {
            shown: "wss://example/Stage".into(),
            proxy: None,
            addresses: Ok(vec!["192.0.2.1".parse().unwrap()]),
            silent: Vec::new(),
            tcp_ms: Some(Ok(12.0)),
            tls: Some(Ok("TLS 1.3".into())),
            handshake: Some(Ok(Answer { status, reason: None, took_ms: 30.0, clock })),
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
        judge(facts).into_iter().find(|finding| finding.check == check).unwrap().status
    }

    #[test]
    fn an_answer_is_judged_by_what_was_presented() {
        let need = Some(Need { players: 1, ..Need::default() });
        let handshake = |reached, need| status_of("handshake", &facts(reached, need));
        assert_eq!(handshake(reached(101, None), need), Status::Ok);
        assert_eq!(handshake(reached(401, None), None), Status::Ok, "it only wants credentials");
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
    fn the_kernel_is_believed_before_any_program() {
        let judged = |kernel: Option<(bool, u64)>, daemon: Option<&str>, synchronized| {
            let finding = time(&Machine {
                kernel_clock: kernel.map(|(synchronized, max_error_us)| KernelClock {
                    synchronized,
                    max_error_us,
                    estimated_error_us: 20,
                }),
                time_daemon: daemon.map(str::to_owned),
                time_synchronized: synchronized,
                ..Machine::default()
            });
            (finding.status, finding.found)
        };
        let (status, found) = judged(Some((true, 1_300)), None, None);
        assert_eq!(status, Status::Ok, "a host or another container may keep it: {found}");
        assert!(found.contains("1.3 ms at most"), "{found}");
        assert_eq!(
            judged(Some((true, 2_600_000)), Some("chronyd"), None).0,
            Status::Warn,
            "heard of long ago"
        );
        for synchronized in [None, Some(true)] {
            let (status, found) = judged(Some((false, 16_000_000)), Some("systemd-timesyn"), synchronized);
            assert_eq!(status, Status::Warn);
            assert!(found.contains("systemd-timesyn runs"), "{found}");
        }
        assert!(
            judged(Some((false, 16_000_000)), None, None).1.contains("kernel's clock is not synchronised")
        );
        assert_eq!(judged(None, Some("chronyd"), None).0, Status::Ok, "the kernel was not to be asked");
        assert_eq!(judged(None, Some("systemd-timesyn"), Some(false)).0, Status::Warn);
        assert_eq!(judged(None, None, None).0, Status::Warn);
    }

    #[test]
    fn an_address_that_is_silent_is_told_beside_one_that_answers() {
        let half =
            Reached { silent: vec![("[::1]:8080".parse().unwrap(), "refused".into())], ..reached(101, None) };
        let findings = judge(&facts(half, None));
        let address = findings.iter().find(|finding| finding.check == "address").unwrap();
        assert_eq!((address.status, address.found.as_str()), (Status::Warn, "[::1]:8080"));
        assert!(findings.iter().any(|finding| finding.check == "connection" && finding.status == Status::Ok));
    }

    #[test]
    fn a_refusal_is_told_with_its_reason_and_idle_sockets_with_what_keeps_them() {
        let mut refused = reached(403, None);
        let reason = Some("HTTP 403 {\"message\":\"quota\"}".into());
        refused.handshake = Some(Ok(Answer { status: 403, reason, took_ms: 3.0, clock: None }));
        let mut facts = facts(refused, None);
        facts.warnings = vec!["about 9 of 9 sockets would be cut; set sockets.heartbeat = \"5m\"".into()];
        let findings = judge(&facts);
        let of = |check| findings.iter().find(|finding: &&Finding| finding.check == check).unwrap();
        assert_eq!(of("handshake").found, "HTTP 403 after 3.0 ms ({\"message\":\"quota\"})");
        assert_eq!(of("idle").remedy.as_deref(), Some("set sockets.heartbeat = \"5m\""));
    }

    #[test]
    fn the_way_to_the_target_ends_where_it_ends() {
        let lost = Reached {
            tcp_ms: Some(Err("refused".into())),
            tls: None,
            handshake: None,
            ping_ms: None,
            ..reached(101, None)
        };
        let findings = judge(&facts(lost, None));
        let last = findings.last().unwrap();
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
        assert!(judge(&facts).iter().all(|finding| finding.status == Status::Ok || finding.remedy.is_some()));
    }
}
