//! Clocks: the source of time stamps, timers, synchronisation, and the target's clock beside ours.

use crate::commands::doctor::facts::{KernelClock, Machine};
use crate::commands::doctor::finding::Finding;

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

/// The clock source, and how late sleeps end.
pub(super) fn clock(machine: &Machine) -> Vec<Finding> {
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
        Finding::warn("timers", found, "sends will be as late; the report shows it as dispatch delay")
            .change("stop other work, give the process cores of its own, or use a machine that is not shared")
    } else if slack > USUAL_SLACK_NS {
        Finding::warn("timers", found, "the kernel may delay every timer by that slack")
            .change("start it without the service manager's `TimerSlackNSec=`")
    } else {
        Finding::ok("timers", found, "timers are on time")
    });
    findings
}

/// Time synchronisation. The kernel's answer comes first, since the time daemon may run outside this container; daemons count
/// where it reports no synchronisation or cannot be asked.
pub(super) fn time(machine: &Machine) -> Finding {
    const CHECK: &str = "time sync";
    const LINED_UP: &str = "CloudWatch's series are aligned with the run";
    const SHIFTED: &str = "CloudWatch's series may be shifted, and signatures may be rejected";
    const WHY: &str = "`chronyc tracking` or `timedatectl timesync-status` shows why; UDP port 123 must be open, on AWS \
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
                Finding::warn(CHECK, found, format!("the last synchronisation was long ago: {SHIFTED}"))
                    .change(WHY)
            } else {
                Finding::ok(CHECK, found, LINED_UP)
            }
        }
        (_, Some(daemon), Some(false)) => {
            Finding::warn(CHECK, format!("{daemon} runs, but the clock is not synchronised"), SHIFTED)
                .change(format!("{WHY}; chrony informs the kernel only with `rtcsync`"))
        }
        (_, Some(daemon), _) => Finding::ok(CHECK, format!("{daemon} runs"), LINED_UP),
        (kernel, None, _) => {
            let found = match kernel {
                Some(_) => "the kernel's clock is not synchronised, and no time daemon runs here",
                None => "no time daemon runs here",
            };
            Finding::warn(
                CHECK,
                found,
                format!("unless the host synchronises it, the clock drifts: {SHIFTED}"),
            )
            .change("install and start chrony; on AWS with `server 169.254.169.123 prefer iburst`")
        }
    }
}

/// The target's clock against ours: `offset` seconds, known to within `error`; `signed`: whether handshakes are signed for AWS.
pub(super) fn offset(offset: f64, error: f64, signed: bool) -> Finding {
    const CHECK: &str = "clock offset";
    let found = format!("the target's clock differs by {offset:+.1} s (± {error:.1} s)");
    let certain = offset.abs() - error;
    let remedy = "run `chronyc makestep`, or start a time daemon; latencies do not depend on it";
    if signed && certain > REFUSED_OFFSET_S {
        Finding::fail(CHECK, found, "signatures would be rejected").change(remedy)
    } else if certain > NOTABLE_OFFSET_S {
        Finding::warn(CHECK, found, "the server's series would be shifted by as much").change(remedy)
    } else {
        Finding::ok(CHECK, found, "no notable difference")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Status;

    #[test]
    fn the_kernels_answer_comes_before_any_daemon() {
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
        assert_eq!(status, Status::Ok, "the daemon may run on the host or in another container: {found}");
        assert!(found.contains("1.3 ms at most"), "{found}");
        assert_eq!(
            judged(Some((true, 2_600_000)), Some("chronyd"), None).0,
            Status::Warn,
            "synchronised long ago"
        );
        for synchronized in [None, Some(true)] {
            let (status, found) = judged(Some((false, 16_000_000)), Some("systemd-timesyn"), synchronized);
            assert_eq!(status, Status::Warn);
            assert!(found.contains("systemd-timesyn runs"), "{found}");
        }
        assert!(
            judged(Some((false, 16_000_000)), None, None).1.contains("kernel's clock is not synchronised")
        );
        assert_eq!(judged(None, Some("chronyd"), None).0, Status::Ok, "the kernel cannot be asked");
        assert_eq!(judged(None, Some("systemd-timesyn"), Some(false)).0, Status::Warn);
        assert_eq!(judged(None, None, None).0, Status::Warn);
    }
}
