//! The machine's facts, from the kernel, `/proc` and `/sys`, and one measurement: how late sleeps end.

use std::fs::read_to_string;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use nix::libc;
use procfs::process::all_processes;
use procfs::{Current, LoadAverage, Meminfo};
use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit};

use crate::commands::doctor::facts::{KernelClock, Machine};
use crate::health::watch::stolen;

/// Length of a measured sleep.
const SLEEP: Duration = Duration::from_micros(500);
/// Number of measured sleeps.
const SLEEPS: usize = 200;
/// Time daemons, as `/proc` shortens their names.
const TIME_DAEMONS: [&str; 6] = ["chronyd", "ntpd", "ntpsec", "systemd-timesyn", "openntpd", "ptp4l"];

/// Looks at the machine. Takes about a quarter of a second.
pub(in crate::commands::doctor) async fn measure() -> Machine {
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

fn look() -> Machine {
    let limits = getrlimit(Resource::Nofile);
    let sys = |name: &str| read_to_string(Path::new("/proc/sys").join(name)).unwrap_or_default();
    let groups = groups(&read_to_string("/proc/self/cgroup").unwrap_or_default());
    let (quotas, left) =
        (groups.iter().filter_map(|group| quota(group)), groups.iter().filter_map(|group| left(group)));
    Machine {
        descriptors_soft: limits.current.unwrap_or(u64::MAX),
        descriptors_hard: limits.maximum.unwrap_or(u64::MAX),
        files: match numbers::<u64>(&sys("fs/file-nr")).as_slice() {
            [used, _, most] => Some((*used, *most)),
            _ => None,
        },
        ports: match numbers::<u16>(&sys("net/ipv4/ip_local_port_range")).as_slice() {
            [first, last] => Some((*first, *last)),
            _ => None,
        },
        conntrack: number(&sys("net/netfilter/nf_conntrack_count"))
            .zip(number(&sys("net/netfilter/nf_conntrack_max"))),
        somaxconn: number(&sys("net/core/somaxconn")),
        syn_backlog: number(&sys("net/ipv4/tcp_max_syn_backlog")),
        memory_available: Meminfo::current().ok().and_then(|memory| memory.mem_available),
        memory_left_in_group: left.min(),
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
        cpu_quota: quotas.reduce(f64::min),
        load: LoadAverage::current().ok().map(|load| f64::from(load.one)),
        clock_source: read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource")
            .ok()
            .map(|name| name.trim().to_owned()),
        timer_slack_ns: number(&read_to_string("/proc/self/timerslack_ns").unwrap_or_default()),
        oversleep_us: oversleep(),
        kernel_clock: kernel_clock(),
        time_daemon: time_daemon(),
        time_synchronized: Path::new("/run/systemd/timesync")
            .is_dir()
            .then(|| Path::new("/run/systemd/timesync/synchronized").exists()),
        steal: share_stolen(),
        governor: read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
            .ok()
            .map(|name| name.trim().to_owned()),
        disk_free: statvfs(".").ok().map(|disk| disk.f_bavail * disk.f_frsize),
    }
}

fn numbers<T: FromStr>(text: &str) -> Vec<T> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The process's control groups and those above them: each may set a limit. Version 2 has one hierarchy, version 1 one
/// for each controller.
fn groups(cgroup: &str) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let of = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, own) = rest.split_once(':')?;
        let hierarchy = match controllers {
            "" => root.to_path_buf(),
            controllers if controllers.split(',').any(|one| one == "cpu" || one == "memory") => {
                root.join(controllers)
            }
            _ => return None,
        };
        let own = hierarchy.join(own.trim_start_matches('/'));
        Some(
            own.ancestors()
                .take_while(|group| group.starts_with(&hierarchy))
                .map(Path::to_path_buf)
                .collect::<Vec<_>>(),
        )
    };
    cgroup.lines().filter_map(of).flatten().collect()
}

/// What a group lets its processes have of the CPU, in cores.
fn quota(group: &Path) -> Option<f64> {
    if let Ok(text) = read_to_string(group.join("cpu.max")) {
        return cores_of_quota(&text);
    }
    let read = |name: &str| read_to_string(group.join(name)).ok();
    // Version 1 says -1 where there is no limit.
    let quota = read("cpu.cfs_quota_us")?.trim().parse::<f64>().ok().filter(|quota| *quota > 0.0)?;
    Some(quota / read("cpu.cfs_period_us")?.trim().parse::<f64>().ok()?)
}

/// What a group leaves of its memory, in bytes.
fn left(group: &Path) -> Option<u64> {
    let number = |name: &str| number(&read_to_string(group.join(name)).ok()?);
    let versions = [("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")];
    versions.into_iter().find_map(|(most, used)| Some(number(most)?.saturating_sub(number(used)?)))
}

/// Share of the time since the start that the hypervisor gave to others.
fn share_stolen() -> Option<f64> {
    let (stolen, all) = stolen();
    (all > 0).then(|| stolen as f64 / all as f64)
}

/// `cpu.max` as cores: `150000 100000` is 1.5, `max 100000` no limit.
fn cores_of_quota(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    Some(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?)
}

/// By how many microseconds sleeps end late: median and 99th percentile.
fn oversleep() -> (u64, u64) {
    let mut late: Vec<_> = (0..SLEEPS)
        .map(|_| {
            let before = Instant::now();
            std::thread::sleep(SLEEP);
            before.elapsed().saturating_sub(SLEEP).as_micros() as u64
        })
        .collect();
    late.sort_unstable();
    (late[SLEEPS / 2], late[SLEEPS * 99 / 100])
}

/// Asks the kernel about its clock; a sandbox may forbid the question.
#[expect(unsafe_code, reason = "neither nix nor rustix has adjtimex")]
fn kernel_clock() -> Option<KernelClock> {
    let mut timex = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: zeroes are a valid timex, whose `modes` make the call a question; it writes nothing but the timex.
    let (state, timex) = unsafe { (libc::adjtimex(timex.as_mut_ptr()), timex.assume_init()) };
    (state >= 0).then(|| KernelClock {
        synchronized: timex.status & libc::STA_UNSYNC == 0,
        max_error_us: u64::try_from(timex.maxerror).unwrap_or(0),
        estimated_error_us: u64::try_from(timex.esterror).unwrap_or(0),
    })
}

fn time_daemon() -> Option<String> {
    let names =
        all_processes().ok()?.flatten().filter_map(|process| process.stat().ok()).map(|stat| stat.comm);
    names.into_iter().find(|name| TIME_DAEMONS.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_both_kinds_of_groups_are_read() {
        let group = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(group.path().join(name), text).unwrap();
        assert_eq!((quota(group.path()), left(group.path())), (None, None));
        write("cpu.cfs_quota_us", "-1\n");
        write("cpu.cfs_period_us", "100000\n");
        assert_eq!(quota(group.path()), None);
        write("cpu.cfs_quota_us", "50000\n");
        assert_eq!(quota(group.path()), Some(0.5));
        write("memory.limit_in_bytes", "1000\n");
        write("memory.usage_in_bytes", "400\n");
        assert_eq!(left(group.path()), Some(600));
        write("cpu.max", "200000 100000\n");
        write("memory.max", "max\n");
        write("memory.current", "400\n");
        assert_eq!((quota(group.path()), left(group.path())), (Some(2.0), Some(600)));
    }

    #[test]
    fn quotas_and_groups_are_read() {
        assert_eq!(cores_of_quota("150000 100000\n"), Some(1.5));
        assert_eq!(cores_of_quota("max 100000\n"), None);
        let paths = groups("0::/a/b\n");
        let shown: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        assert_eq!(shown, ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]);
        let old = groups("12:cpu,cpuacct:/docker/x\n3:pids:/y\n");
        let shown: Vec<_> = old.iter().map(|path| path.display().to_string()).collect();
        assert_eq!(shown, ["/docker/x", "/docker", ""].map(|own| format!("/sys/fs/cgroup/cpu,cpuacct{own}")));
    }

    #[tokio::test]
    async fn this_machine_has_its_facts() {
        let machine = measure().await;
        assert!(machine.descriptors_hard >= machine.descriptors_soft && machine.descriptors_soft > 0);
        assert!(machine.cores > 0 && machine.memory_available.is_some_and(|bytes| bytes > 0));
        assert!(machine.oversleep_us.1 >= machine.oversleep_us.0);
        assert!(machine.ports.is_some_and(|(first, last)| first < last));
    }
}
