//! What this machine is and what this process uses of it.

use procfs::Current;
use procfs::process::Process;
use reports::format::Host;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that a run needs beside its sockets: files, pipes, the runtime's own, CloudWatch.
const SPARE_DESCRIPTORS: u64 = 64;

/// A run that this machine cannot hold.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// Fewer descriptors than sockets.
    #[error(
        "{players} players need {needed} open files, and this process may have {limit}; \
         lower `players` or raise the limit (`ulimit -n`)"
    )]
    Descriptors {
        /// Players of the plan.
        players: u32,
        /// Descriptors that they need.
        needed: u64,
        /// The hard limit.
        limit: u64,
    },
}

/// Raises the soft descriptor limit to the hard one, and tells whether the plan's sockets fit.
///
/// # Errors
/// [`MachineError::Descriptors`] when they do not.
pub fn make_room_for(players: u32) -> Result<(), MachineError> {
    let limits = getrlimit(Resource::Nofile);
    if limits.current != limits.maximum {
        // Refused only where the hard limit changed meanwhile; the check below judges what is in force.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, maximum: limits.maximum });
    }
    let limit = descriptor_limit();
    let needed = u64::from(players) + SPARE_DESCRIPTORS;
    if needed > limit { Err(MachineError::Descriptors { players, needed, limit }) } else { Ok(()) }
}

fn descriptor_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// The machine, for the manifest.
#[must_use]
pub fn host() -> Host {
    let uname = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    Host {
        os: format!("{} {}", text(uname.sysname()), text(uname.release())),
        arch: text(uname.machine()),
        cpus: std::thread::available_parallelism().map_or(0, |cpus| cpus.get() as u64),
        memory_bytes: procfs::Meminfo::current().map_or(0, |memory| memory.mem_total),
        descriptor_limit: descriptor_limit(),
    }
}

/// What this process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// User plus system time in seconds.
    pub cpu_seconds: f64,
    /// Resident set in bytes.
    pub rss_bytes: u64,
    /// Highest resident set so far, in bytes.
    pub peak_rss_bytes: u64,
}

/// Reads [`Usage`] from `/proc`; what cannot be read stays 0.
#[must_use]
pub fn usage() -> Usage {
    let Ok(process) = Process::myself() else { return Usage::default() };
    let (cpu_seconds, rss_bytes) = process.stat().map_or((0.0, 0), |stat| {
        let ticks = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        (ticks, stat.rss * procfs::page_size())
    });
    let peak = process.status().ok().and_then(|status| status.vmhwm).map_or(0, |kib| kib * 1024);
    Usage { cpu_seconds, rss_bytes, peak_rss_bytes: peak.max(rss_bytes) }
}
