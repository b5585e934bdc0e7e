//! What one second was like for the generator, and the worst of all.

use std::ops::Add as _;

use serde::{Deserialize, Serialize};

/// What one second was like for the generator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// CPU used, in percent of one core.
    pub cpu_percent: f64,
    /// CPU of the busiest thread, in percent of one core.
    pub busiest_thread_percent: f64,
    /// Time that threads were ready to run and had no core, in percent of one thread's time.
    pub run_delay_percent: f64,
    /// Time that the hypervisor gave to others, in percent of the machine's cores.
    pub steal_percent: f64,
    /// Resident set in bytes.
    pub rss_bytes: u64,
    /// Open descriptors, where the kernel tells.
    pub descriptors: u64,
    /// Bytes received and not yet read by the players; of the last look.
    pub receive_queue_bytes: u64,
    /// Bytes written by players and not yet taken by the target; of the last look.
    pub send_queue_bytes: u64,
    /// How far the system's clock has moved against the run's since the second before, in milliseconds.
    pub clock_step_ms: f64,
}

impl Second {
    /// Adds what another process of the same machine was like in the same second: what they used adds up, what they
    /// had to wait for does not, and the machine is the same.
    pub fn join(&mut self, other: &Self) {
        self.combine(other, f64::add, u64::add);
    }

    /// Combines two: what was used by these two functions, and the worse of everything else.
    fn combine(&mut self, other: &Self, time: fn(f64, f64) -> f64, amount: fn(u64, u64) -> u64) {
        let Self {
            cpu_percent,
            busiest_thread_percent,
            run_delay_percent,
            steal_percent,
            rss_bytes,
            descriptors,
            receive_queue_bytes,
            send_queue_bytes,
            clock_step_ms,
        } = *other;
        self.cpu_percent = time(self.cpu_percent, cpu_percent);
        self.busiest_thread_percent = self.busiest_thread_percent.max(busiest_thread_percent);
        self.run_delay_percent = self.run_delay_percent.max(run_delay_percent);
        self.steal_percent = self.steal_percent.max(steal_percent);
        self.rss_bytes = amount(self.rss_bytes, rss_bytes);
        self.descriptors = amount(self.descriptors, descriptors);
        self.receive_queue_bytes = amount(self.receive_queue_bytes, receive_queue_bytes);
        self.send_queue_bytes = amount(self.send_queue_bytes, send_queue_bytes);
        if clock_step_ms.abs() > self.clock_step_ms.abs() {
            self.clock_step_ms = clock_step_ms;
        }
    }
}

/// The worst of all seconds, and what the process cost in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// Per field, the highest; the clock's steps by size.
    pub worst: Second,
    /// CPU time since the run's start, in seconds.
    pub cpu_seconds: f64,
    /// Highest resident set of the process, in bytes.
    pub peak_rss_bytes: u64,
    /// Seconds in which the process used at least 90 % of the cores that it may use.
    pub busy_seconds: u64,
    /// Seconds watched.
    pub seconds: u64,
    /// Cores that the process may use: affinity and quota are counted.
    pub cores: u64,
}

impl Watched {
    /// Counts a second.
    pub fn add(&mut self, second: &Second) {
        self.worst.combine(second, f64::max, u64::max);
        self.seconds += 1;
        self.busy_seconds += u64::from(second.cpu_percent >= 90.0 * self.cores as f64);
    }
}
