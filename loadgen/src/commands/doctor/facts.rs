//! What the checks look at: plain values, so that every check can be tested without the machine that it is about.

use std::net::{IpAddr, SocketAddr};

/// Everything that was measured or asked.
#[derive(Debug, Clone)]
pub struct Facts {
    /// This machine and this process's limits.
    pub machine: Machine,
    /// What the scenario asks of it.
    pub need: Option<Need>,
    /// Credentials, and what the scenario names beside the target.
    pub access: Vec<Access>,
    /// Warnings of the plan itself.
    pub warnings: Vec<String>,
    /// The target.
    pub target: Option<Reached>,
}

/// This machine. `None`: could not be read, or does not exist here.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// Soft limit of open files.
    pub descriptors_soft: u64,
    /// Hard limit of open files.
    pub descriptors_hard: u64,
    /// Open files of the whole system, and their limit.
    pub files: Option<(u64, u64)>,
    /// First and last ephemeral port.
    pub ports: Option<(u16, u16)>,
    /// Tracked connections, and their limit.
    pub conntrack: Option<(u64, u64)>,
    /// Longest accept queue.
    pub somaxconn: Option<u64>,
    /// Longest queue of half-open connections.
    pub syn_backlog: Option<u64>,
    /// Available memory in bytes.
    pub memory_available: Option<u64>,
    /// What the control group's limit leaves, in bytes.
    pub memory_left_in_group: Option<u64>,
    /// Cores that this process may use.
    pub cores: u64,
    /// CPU quota of the control group, in cores.
    pub cpu_quota: Option<f64>,
    /// Runnable tasks, averaged over a minute.
    pub load: Option<f64>,
    /// The kernel's clock source.
    pub clock_source: Option<String>,
    /// By how much the kernel may delay a timer, in nanoseconds.
    pub timer_slack_ns: Option<u64>,
    /// By how much sleeps of half a millisecond were late, in microseconds: median and 99th percentile.
    pub oversleep_us: (u64, u64),
    /// The kernel's own clock state.
    pub kernel_clock: Option<KernelClock>,
    /// The time daemon that runs here, if any.
    pub time_daemon: Option<String>,
    /// Whether it has synchronised the clock, where that can be read.
    pub time_synchronized: Option<bool>,
    /// Share of the cores that the hypervisor gave to others since the machine started, 0 to 1.
    pub steal: Option<f64>,
    /// CPU frequency governor of the first core.
    pub governor: Option<String>,
    /// Bytes that are free where run folders go.
    pub disk_free: Option<u64>,
}

/// The kernel's clock state, as the time daemon has set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelClock {
    /// Whether it is synchronised. The kernel itself resets this hours after the last update.
    pub synchronized: bool,
    /// Maximum error in microseconds; it grows by half a millisecond a second.
    pub max_error_us: u64,
    /// Estimated error in microseconds.
    pub estimated_error_us: u64,
}

/// What a scenario asks of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Need {
    /// Players, each with a socket.
    pub players: u32,
    /// Handshakes a second.
    pub connect_rate: f64,
    /// Source addresses that the scenario names; 0: the system chooses.
    pub sources: usize,
    /// Addresses of the target.
    pub destinations: usize,
    /// Whether the target is on this machine.
    pub loopback: bool,
    /// Whether the run chooses source addresses automatically.
    pub own_sources: bool,
    /// Whether the backend runs beside the generator.
    pub embedded: bool,
    /// Whether sockets are encrypted.
    pub tls: bool,
    /// Whether handshakes are signed for AWS.
    pub signed: bool,
}

/// Something that a run needs beside the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The check's name.
    pub check: &'static str,
    /// What was tried.
    pub what: String,
    /// Whether it worked; otherwise the error.
    pub outcome: Result<String, String>,
    /// Whether a run fails without it.
    pub vital: bool,
}

/// What became of an attempt to reach the target; times in milliseconds.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Scheme, host, port and path.
    pub shown: String,
    /// The proxy before it; the addresses are then the proxy's.
    pub proxy: Option<String>,
    /// Addresses of its name.
    pub addresses: Result<Vec<IpAddr>, String>,
    /// Addresses that do not accept connections while others do, and the error.
    pub silent: Vec<(SocketAddr, String)>,
    /// Fastest of three connection set-ups to each address, i.e. a round trip; `None`: not tried.
    pub tcp_ms: Option<Result<f64, String>>,
    /// TLS version, with a certificate that is trusted; `None`: not tried.
    pub tls: Option<Result<String, String>>,
    /// Answer to a handshake; `None`: not tried.
    pub handshake: Option<Result<HandshakeAnswer, String>>,
    /// Round trip of a ping over the open socket; `None`: not tried.
    pub ping_ms: Option<Result<f64, String>>,
    /// Whether the handshake carried credentials.
    pub with_credentials: bool,
}

/// The answer to a handshake.
#[derive(Debug, Clone)]
pub struct HandshakeAnswer {
    /// HTTP status.
    pub status: u16,
    /// The reason of a refusal, with status and redirect.
    pub reason: Option<String>,
    /// From the request's last byte to the end of the answer's head.
    pub took_ms: f64,
    /// The server's clock minus ours in seconds, and by how much that may be wrong; `None`: the answer has no `Date`.
    pub clock: Option<(f64, f64)>,
}
