//! What the machine can hold, against what a scenario asks of it. Pure: facts in, findings out.

use crate::commands::doctor::facts::{Machine, Need};
use crate::commands::doctor::finding::Finding;
use crate::health::machine::SPARE_DESCRIPTORS;

/// Sockets for one pair of source and destination beyond which the kernel's port search eats the CPU.
const PORTS_SEARCHED: u64 = 14_000;
/// Resident bytes of a player's socket in the generator, with what its tallies take; measured in `docs/figures.md`.
const PLAYER_BYTES: u64 = 6 * 1024;
/// What the kernel keeps for one end of an idle socket.
const KERNEL_BYTES: u64 = 4 * 1024;
/// What TLS adds to a socket: keys and record buffers.
const TLS_BYTES: u64 = 24 * 1024;
/// The generator before its first player, and a report that is made at the end.
const BASE_BYTES: u64 = 128 << 20;
/// CPU of a handshake in seconds, and what TLS and a signature add.
const HANDSHAKE_CPU: (f64, f64, f64) = (150e-6, 1_500e-6, 100e-6);
/// Share of the cores that handshakes may take before dispatch suffers.
const HANDSHAKE_SHARE: f64 = 0.5;
/// An accept queue shorter than this drops handshakes of a burst.
const SHORT_QUEUE: u64 = 1_024;
/// Load per core above which other processes disturb a run.
const BUSY: f64 = 0.7;
/// Share of the cores that the hypervisor takes.
const NOTABLE_STEAL: f64 = 0.02;
/// A run folder of an hour's run fits well.
const ROOM: u64 = 256 << 20;

/// Descriptors, ports, queues, cores, memory and disk.
pub(super) fn limits(machine: &Machine, need: Option<&Need>) -> Vec<Finding> {
    let mut findings = vec![descriptors(machine, need)];
    findings.extend(files(machine, need));
    findings.extend(ports(machine, need));
    findings.extend(conntrack(machine, need));
    findings.extend(queues(machine, need));
    findings.push(cores(machine, need));
    findings.extend(busy(machine));
    findings.extend(governor(machine));
    findings.extend(memory(machine, need));
    findings.extend(disk(machine));
    findings
}

fn descriptors(machine: &Machine, need: Option<&Need>) -> Finding {
    const CHECK: &str = "descriptors";
    let Machine { descriptors_soft: soft, descriptors_hard: hard, .. } = *machine;
    let found = format!("{} open files (soft limit {})", shown(hard), shown(soft));
    let holds = hard.saturating_sub(SPARE_DESCRIPTORS);
    let raise = |wanted: u64| {
        format!(
            "`ulimit -Hn {wanted}` as root, `{{\"nofile\": {wanted}}}` of the container, or \
             `* hard nofile {wanted}` in /etc/security/limits.conf and a new login"
        )
    };
    match need.map(|need| u64::from(need.players)) {
        Some(players) if players > holds => {
            let wanted = (players + SPARE_DESCRIPTORS).next_multiple_of(1_000);
            let meaning = format!("one process for {players} players needs {}", players + SPARE_DESCRIPTORS);
            let split = players.div_ceil(holds.max(1));
            Finding::fail(CHECK, found, meaning)
                .change(format!("`--workers {split}`, {}, or lower `players` to {holds}", raise(wanted)))
        }
        Some(players) => Finding::ok(CHECK, found, format!("enough for {players} players")),
        None if hard < 4_096 => {
            Finding::warn(CHECK, found, format!("at most {} players in a process", shown(holds)))
                .change(raise(20_000))
        }
        None => Finding::ok(
            CHECK,
            found,
            format!("up to {} players in a process; the soft limit is raised automatically", shown(holds)),
        ),
    }
}

fn files(machine: &Machine, need: Option<&Need>) -> Option<Finding> {
    let (used, most) = machine.files?;
    // Both ends of a socket are open files here when the backend runs beside the generator.
    let ends = need.map_or(0, |need| u64::from(need.players) * if need.loopback { 2 } else { 1 });
    let left = most.saturating_sub(used);
    let found = format!("{used} of {} files open in the whole system", shown(most));
    Some(if ends > left {
        Finding::fail("files", found, format!("the run needs {ends} more"))
            .change(format!("`sysctl -w fs.file-max={}`", (used + ends) * 2))
    } else {
        Finding::ok("files", found, "enough")
    })
}

fn ports(machine: &Machine, need: Option<&Need>) -> Option<Finding> {
    const CHECK: &str = "ports";
    let (first, last) = machine.ports?;
    let ports = u64::from(last - first) + 1;
    let found = format!("{ports} ephemeral ports ({first} to {last})");
    let Some(need) = need else {
        return Some(Finding::ok(
            CHECK,
            found,
            "the limit of sockets from one source address to one address of a target",
        ));
    };
    let players = u64::from(need.players);
    if need.own_sources {
        return Some(Finding::ok(CHECK, found, "source addresses 127.0.0.x are used as needed"));
    }
    let pairs = (need.sources.max(1) * need.destinations.max(1)) as u64;
    let widen = "`sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"`";
    let each = players.div_ceil(pairs);
    Some(if each > ports {
        Finding::fail(
            CHECK,
            found,
            format!("{players} players over {pairs} pairs of addresses need {each} each"),
        )
        .change(format!(
            "give this machine {} addresses and name them in `sockets.source_addresses`; {widen} helps too",
            players.div_ceil(PORTS_SEARCHED * need.destinations.max(1) as u64)
        ))
    } else if each > PORTS_SEARCHED {
        let meaning =
            format!("{each} sockets for a pair of addresses: the search for a free port will take CPU");
        Finding::warn(CHECK, found, meaning).change(format!(
            "more `sockets.source_addresses` (at most {PORTS_SEARCHED} sockets for each), or {widen}"
        ))
    } else {
        Finding::ok(CHECK, found, format!("{each} sockets for each pair of addresses"))
    })
}

fn conntrack(machine: &Machine, need: Option<&Need>) -> Option<Finding> {
    let (used, most) = machine.conntrack?;
    let wanted = used + need.map_or(0, |need| u64::from(need.players));
    let found = format!("{used} of {most} tracked connections");
    Some(if wanted > most {
        Finding::fail("conntrack", found, "the firewall would silently drop the rest")
            .change(format!("`sysctl -w net.netfilter.nf_conntrack_max={}`", wanted * 2))
    } else {
        Finding::ok("conntrack", found, "enough")
    })
}

/// Matters where this machine accepts connections: with a backend beside the generator.
fn queues(machine: &Machine, need: Option<&Need>) -> Option<Finding> {
    if need.is_some_and(|need| !need.loopback) {
        return None;
    }
    let (accept, half_open) = (machine.somaxconn?, machine.syn_backlog?);
    let found = format!("{accept} connections may wait to be accepted, {half_open} half-open");
    Some(if accept.min(half_open) < SHORT_QUEUE {
        Finding::warn(
            "queues",
            found,
            "a burst of handshakes to a backend on this machine may wait a second and more",
        )
        .change("`sysctl -w net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096`")
    } else {
        Finding::ok("queues", found, "enough for a backend on this machine")
    })
}

/// Cores that this process may use, quota included.
fn usable(machine: &Machine) -> f64 {
    let cores = machine.cores as f64;
    machine.cpu_quota.map_or(cores, |quota| quota.min(cores))
}

fn cores(machine: &Machine, need: Option<&Need>) -> Finding {
    const CHECK: &str = "cores";
    let quota = machine
        .cpu_quota
        .map_or_else(String::new, |quota| format!(", of which the control group grants {quota:.1}"));
    let found = format!("{} cores{quota}", machine.cores);
    let more = "a machine with more cores, or a higher CPU limit of the container (`docker run --cpus`, \
                `resources.limits.cpu`)";
    if let Some(need) = need {
        let (plain, tls, signature) = HANDSHAKE_CPU;
        let each = plain + if need.tls { tls } else { 0.0 } + if need.signed { signature } else { 0.0 };
        let share = need.connect_rate * each / usable(machine);
        if share > HANDSHAKE_SHARE {
            let meaning = format!(
                "{:.0} handshakes a second take about {:.0} % of them: sends may be late",
                need.connect_rate,
                share * 100.0
            );
            return Finding::warn(CHECK, found, meaning)
                .change(format!("lower `sockets.connect_rate`, or {more}"));
        }
    }
    if machine.cpu_quota.is_some_and(|quota| quota < machine.cores as f64) {
        return Finding::warn(
            CHECK,
            found,
            "a quota stops all threads at once when it is used up: latencies of tens of ms",
        )
        .change("pin whole cores instead (`cpuset`), or lift the quota");
    }
    if usable(machine) < 2.0 {
        return Finding::warn(
            CHECK,
            found,
            "the pacer shares its core with the sockets: sends will be late under load",
        )
        .change(more);
    }
    if need.is_some_and(|need| need.embedded) {
        return Finding::ok(
            CHECK,
            found,
            "shared with the embedded backend, whose latencies depend on this machine as well",
        );
    }
    Finding::ok(CHECK, found, "the pacer has a core of its own")
}

fn busy(machine: &Machine) -> Option<Finding> {
    let load = machine.load?;
    let steal = machine.steal.unwrap_or(0.0);
    let found =
        format!("load {load:.1} over a minute, {:.1} % of the cores taken by the hypervisor", steal * 100.0);
    Some(if steal > NOTABLE_STEAL {
        Finding::warn(
            "other work",
            found,
            "other guests take CPU: part of the latency and of the delay is theirs",
        )
        .change("use an instance with dedicated cores (not a burstable type)")
    } else if load > usable(machine) * BUSY {
        Finding::warn("other work", found, "other processes use the CPU")
            .change("`top` shows them; stop them or move the run")
    } else {
        Finding::ok("other work", found, "little")
    })
}

fn governor(machine: &Machine) -> Option<Finding> {
    let governor = machine.governor.as_deref()?;
    let found = format!("CPU frequency governor `{governor}`");
    Some(if matches!(governor, "powersave" | "ondemand" | "conservative") {
        Finding::warn("frequency", found, "an idle core is slow to wake up")
            .change("`cpupower frequency-set -g performance`")
    } else {
        Finding::ok("frequency", found, "the frequency is constant")
    })
}

fn memory(machine: &Machine, need: Option<&Need>) -> Option<Finding> {
    let free = machine.memory_available?;
    let left = machine.memory_left_in_group.map_or(free, |left| left.min(free));
    let group = if left < free { " (limit of the control group)" } else { "" };
    let found = format!("{} MiB available{group}", left >> 20);
    let needed = BASE_BYTES
        + need.map_or(0, |need| {
            let each = PLAYER_BYTES + KERNEL_BYTES + if need.tls { TLS_BYTES } else { 0 };
            // The backend's end costs about what the player's does.
            let ends = if need.embedded { 2 } else { 1 };
            u64::from(need.players) * each * ends
        });
    let meaning = format!("the run takes about {} MiB", needed >> 20);
    let remedy = "lower `players`, or raise the memory limit";
    Some(if needed > left {
        Finding::fail("memory", found, meaning).change(remedy)
    } else if needed > left / 2 {
        Finding::warn("memory", found, meaning).change(remedy)
    } else if need.is_some() {
        Finding::ok("memory", found, meaning)
    } else {
        let players = (left - needed) / 2 / (PLAYER_BYTES + KERNEL_BYTES);
        Finding::ok("memory", found, format!("half of it holds about {players} players"))
    })
}

fn disk(machine: &Machine) -> Option<Finding> {
    let free = machine.disk_free?;
    let found = format!("{} MiB free in the working directory", free >> 20);
    Some(if free < ROOM {
        Finding::warn("disk", found, "a run folder may not fit")
            .change("free some space, or choose another folder with `--out`")
    } else {
        Finding::ok("disk", found, "enough for run folders")
    })
}

/// A limit, or `unlimited`.
fn shown(limit: u64) -> String {
    if limit > 1 << 40 { "unlimited".into() } else { limit.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Status;

    fn good() -> Machine {
        Machine {
            descriptors_soft: 1_024,
            descriptors_hard: 20_000,
            files: Some((2_000, 500_000)),
            ports: Some((32_768, 60_999)),
            conntrack: Some((10, 262_144)),
            somaxconn: Some(4_096),
            syn_backlog: Some(4_096),
            memory_available: Some(8 << 30),
            cores: 4,
            load: Some(0.2),
            steal: Some(0.0),
            governor: Some("performance".into()),
            disk_free: Some(10 << 30),
            ..Machine::default()
        }
    }

    fn remote(players: u32) -> Need {
        Need { players, connect_rate: 500.0, destinations: 1, ..Need::default() }
    }

    /// The finding of one check; all others are as on a good machine.
    fn found(check: &str, machine: &Machine, need: Option<&Need>) -> Finding {
        limits(machine, need).into_iter().find(|finding| finding.check == check).unwrap()
    }

    #[test]
    fn a_good_machine_has_nothing_to_change() {
        for need in [None, Some(remote(5_000))] {
            for finding in limits(&good(), need.as_ref()) {
                assert_eq!(finding.status, Status::Ok, "{finding}");
                assert_eq!(finding.remedy, None);
            }
        }
    }

    #[test]
    fn what_a_scenario_needs_is_compared_with_what_there_is() {
        let small = Machine { descriptors_hard: 256, ..good() };
        let finding = found("descriptors", &small, Some(&remote(1_000)));
        assert_eq!(finding.status, Status::Fail);
        assert!(finding.remedy.unwrap().contains("lower `players` to 192"));
        assert_eq!(found("descriptors", &small, Some(&remote(192))).status, Status::Ok);
        assert_eq!(found("descriptors", &small, None).status, Status::Warn);

        let one_address = found("ports", &good(), Some(&remote(40_000)));
        assert_eq!(one_address.status, Status::Fail);
        assert!(one_address.remedy.unwrap().contains("3 addresses"));
        assert_eq!(found("ports", &good(), Some(&remote(20_000))).status, Status::Warn);
        let two = Need { destinations: 2, ..remote(20_000) };
        assert_eq!(found("ports", &good(), Some(&two)).status, Status::Ok);
        let local = Need { loopback: true, own_sources: true, ..remote(100_000) };
        assert_eq!(found("ports", &good(), Some(&local)).status, Status::Ok);

        let tight =
            Machine { memory_available: Some(300 << 20), memory_left_in_group: Some(200 << 20), ..good() };
        assert_eq!(found("memory", &tight, Some(&remote(10_000))).status, Status::Fail);
        assert_eq!(found("memory", &tight, Some(&remote(10))).status, Status::Warn);
        let full = Machine { conntrack: Some((60_000, 65_536)), files: Some((1_000, 5_000)), ..good() };
        assert_eq!(found("conntrack", &full, Some(&remote(10_000))).status, Status::Fail);
        assert_eq!(found("files", &full, Some(&remote(10_000))).status, Status::Fail);
    }

    #[test]
    fn what_makes_figures_worse_is_a_warning_with_a_remedy() {
        let fast = Need { connect_rate: 2_000.0, tls: true, ..remote(5_000) };
        let cases = [
            ("cores", Machine { cpu_quota: Some(1.5), ..good() }, None),
            ("cores", Machine { cores: 1, ..good() }, None),
            ("cores", good(), Some(fast)),
            ("other work", Machine { load: Some(7.0), ..good() }, None),
            ("other work", Machine { steal: Some(0.1), ..good() }, None),
            ("frequency", Machine { governor: Some("powersave".into()), ..good() }, None),
            ("queues", Machine { somaxconn: Some(128), ..good() }, None),
            ("disk", Machine { disk_free: Some(1 << 20), ..good() }, None),
        ];
        for (check, machine, need) in cases {
            let finding = found(check, &machine, need.as_ref());
            assert_eq!(finding.status, Status::Warn, "{finding}");
            assert!(finding.remedy.is_some(), "{finding}");
        }
    }
}
