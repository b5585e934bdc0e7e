//! The watch: what the generator's own process and machine did while it measured.
//!
//! A figure is the target's only if the generator ran when it should have. The dispatch delay shows late sends; late
//! *receipts* show only in the event loop's [lag](super::event_loop), since a push is stamped when its player's task gets
//! to run. The rest explains a lag: threads that waited for a core (`schedstat`), cores that the hypervisor took
//! (`/proc/stat`), queues in the kernel (`sock_diag`), descriptors, and steps of the system's clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use procfs::process::Process;
use procfs::{CurrentSI, KernelStats};

use super::queues;
use super::sample::{Second, Watched};
use crate::clock::Clock;
use crate::health::machine::{self, Usage};
use crate::player::Targets;

/// Between two looks at the kernel's socket queues, at least: there may be tens of thousands.
const QUEUES: Duration = Duration::from_secs(5);
/// A window below this is part of the next one: the kernel's counts are not read at the very instant of the look.
const SHORT: Duration = Duration::from_millis(200);
/// A look at the queues may take one part in so many of the time.
const QUEUES_SHARE: u32 = 200;

/// Looks once a second.
#[derive(Debug)]
pub struct Watch {
    clock: Clock,
    targets: Targets,
    at: Instant,
    begun: Usage,
    usage: Usage,
    threads: HashMap<i32, (u64, u64)>,
    stolen: (u64, u64),
    clock_offset_ms: Option<f64>,
    queues: (u64, u64),
    next_queues: Instant,
    last: Second,
    watched: Watched,
}

impl Watch {
    /// Begins to watch; `targets` are the addresses whose sockets are the players'.
    #[must_use]
    pub fn new(clock: Clock, targets: Targets) -> Self {
        let now = Instant::now();
        let usage = machine::usage();
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        Self {
            clock,
            targets,
            at: now,
            begun: usage,
            usage,
            threads: threads(),
            stolen: stolen(),
            clock_offset_ms: None,
            queues: (0, 0),
            next_queues: now + QUEUES,
            last: Second::default(),
            watched: Watched { cores, ..Watched::default() },
        }
    }

    /// What has happened since the last look. Shares of a moment say nothing: a look that follows the last one at
    /// once repeats it, and the moment counts for the next.
    pub fn look(&mut self) -> Second {
        let now = Instant::now();
        self.look_at_queues(now);
        let (receive_queue_bytes, send_queue_bytes) = self.queues;
        let since = now.duration_since(self.at);
        if since < SHORT {
            return Second { receive_queue_bytes, send_queue_bytes, ..self.last };
        }
        let elapsed = since.as_secs_f64();
        self.at = now;
        let used = machine::usage();
        let (busiest, waited) = self.threads_since(elapsed);
        let (steal_before, all_before) = self.stolen;
        self.stolen = stolen();
        let all = self.stolen.1.saturating_sub(all_before);
        let second = Second {
            cpu_percent: (used.cpu_seconds - self.usage.cpu_seconds) * 100.0 / elapsed,
            busiest_thread_percent: busiest,
            run_delay_percent: waited,
            steal_percent: self.stolen.0.saturating_sub(steal_before) as f64 * 100.0 / all.max(1) as f64,
            rss_bytes: used.rss_bytes,
            descriptors: std::fs::metadata("/proc/self/fd").map_or(0, |list| list.len()),
            receive_queue_bytes,
            send_queue_bytes,
            clock_step_ms: self.clock_step(),
        };
        self.usage = used;
        self.last = second;
        self.watched.add(&second);
        second
    }

    /// Everything watched so far.
    #[must_use]
    pub fn watched(&self) -> Watched {
        let usage = machine::usage();
        Watched {
            cpu_seconds: usage.cpu_seconds - self.begun.cpu_seconds,
            peak_rss_bytes: usage.peak_rss_bytes,
            ..self.watched
        }
    }

    /// CPU of the busiest thread, and the time that all of them waited for a core, both in percent of a core.
    fn threads_since(&mut self, elapsed: f64) -> (f64, f64) {
        let (mut busiest, mut waited) = (0_u64, 0_u64);
        let now = threads();
        for (thread, (ran, delayed)) in &now {
            let (ran_before, delayed_before) = self.threads.get(thread).copied().unwrap_or_default();
            busiest = busiest.max(ran.saturating_sub(ran_before));
            waited = waited.max(delayed.saturating_sub(delayed_before));
        }
        self.threads = now;
        let percent = |nanoseconds: u64| nanoseconds as f64 / 1e7 / elapsed;
        (percent(busiest), percent(waited))
    }

    fn clock_step(&mut self) -> f64 {
        let difference = Timestamp::now().duration_since(self.clock.utc(self.clock.now()));
        let offset = difference.as_secs_f64() * 1_000.0;
        let step = offset - self.clock_offset_ms.unwrap_or(offset);
        self.clock_offset_ms = Some(offset);
        step
    }

    fn look_at_queues(&mut self, now: Instant) {
        if now < self.next_queues {
            return;
        }
        match queues::held_for(&self.targets.all()) {
            Ok(held) => self.queues = held,
            Err(error) => tracing::debug!("the kernel does not tell of its queues: {error}"),
        }
        self.next_queues = now + QUEUES.max(now.elapsed() * QUEUES_SHARE);
    }
}

/// By thread: nanoseconds on a core, nanoseconds ready to run without one.
fn threads() -> HashMap<i32, (u64, u64)> {
    let Ok(tasks) = Process::myself().and_then(|process| process.tasks()) else { return HashMap::new() };
    tasks
        .flatten()
        .filter_map(|task| {
            let schedule = task.schedstat().ok()?;
            Some((task.tid, (schedule.sum_exec_runtime, schedule.run_delay)))
        })
        .collect()
}

/// Ticks of all cores that the hypervisor gave to others, and all ticks.
pub(crate) fn stolen() -> (u64, u64) {
    let Ok(stats) = KernelStats::current() else { return (0, 0) };
    let total = &stats.total;
    let steal = total.steal.unwrap_or(0);
    let others = [total.iowait, total.irq, total.softirq].into_iter().flatten().sum::<u64>();
    (steal, total.user + total.nice + total.system + total.idle + others + steal)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_busy_thread_shows_as_busy() {
        let mut watch = Watch::new(Clock::default(), Targets::default());
        let stop = Arc::new(AtomicBool::new(false));
        let mut work = 0_u64;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    work = work.wrapping_add(1);
                }
            });
            std::thread::sleep(Duration::from_millis(300));
            let second = watch.look();
            stop.store(true, Ordering::Relaxed);
            let wanted = second.busiest_thread_percent + second.run_delay_percent;
            assert!(wanted > 50.0, "a thread that never sleeps has a core or waits for one: {second:?}");
            assert!(second.rss_bytes > 0);
        });
        assert!(work > 0);
        let watched = watch.watched();
        assert_eq!(watched.seconds, 1);
        assert!(watched.cores >= 1 && watched.peak_rss_bytes > 0);
    }

    #[test]
    fn unread_bytes_are_found_in_the_kernel() {
        use std::io::Write;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = listener.local_addr().unwrap();
        let _player = std::net::TcpStream::connect(target).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(&[7; 5_000]).unwrap();
        let mut watch = Watch::new(Clock::default(), vec![target].into());
        watch.next_queues = Instant::now();
        assert_eq!(watch.look().receive_queue_bytes, 5_000);
    }
}
