//! The event loop's lag: how long a task that is ready waits until it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scenarios::Plan;
use tokio::sync::mpsc;

use crate::clock::{Clock, micros};
use crate::record::{Event, Observer};
use crate::schedule::measures;

/// Between two ticks.
const TICK: Duration = Duration::from_millis(50);

/// Sends a tick from a thread of its own until `stop` is set, and has a task of the current runtime record how long each
/// waited. Must be called inside the runtime whose lag is to be measured.
pub fn measure_lag(plan: Arc<Plan>, clock: Clock, observer: Observer, stop: Arc<AtomicBool>) {
    let (ticks, mut received) = mpsc::channel::<Instant>(16);
    let over = Arc::clone(&stop);
    tokio::spawn(async move {
        while let Some(sent) = received.recv().await {
            // Leaving is no part of the figures, even where a tick was waiting for it.
            if over.load(Ordering::Relaxed) {
                return;
            }
            let lag = micros(sent.elapsed());
            observer.observe(Event::EventLoopLag { ledger: measures(&plan, clock.now()), lag });
        }
    });
    tokio::task::spawn_blocking(move || {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
            // A full channel: the loop has not run for 16 ticks, and those that wait will show it.
            let _ = ticks.try_send(Instant::now());
        }
    });
}
