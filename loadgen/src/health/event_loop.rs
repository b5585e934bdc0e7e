//! The event loop's lag: how long a task that is ready waits until it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scenarios::Plan;
use tokio::sync::mpsc;

use crate::clock::{Clock, micros};
use crate::record::{Event, Observer};
use crate::schedule::measures;

/// Between two knocks at the event loop.
const KNOCK: Duration = Duration::from_millis(50);

/// Knocks at the event loop until `stop` is set, and has a task of the current runtime record how long each knock
/// waited. Must be called inside the runtime that is to be watched.
pub fn knock(plan: Arc<Plan>, clock: Clock, observer: Observer, stop: Arc<AtomicBool>) {
    let (door, mut knocks) = mpsc::channel::<Instant>(16);
    let over = Arc::clone(&stop);
    tokio::spawn(async move {
        while let Some(knocked) = knocks.recv().await {
            // Leaving is no part of the figures, even where a knock was waiting for it.
            if over.load(Ordering::Relaxed) {
                return;
            }
            let lag = micros(knocked.elapsed());
            observer.observe(Event::EventLoopLag { ledger: measures(&plan, clock.now()), lag });
        }
    });
    tokio::task::spawn_blocking(move || {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(KNOCK);
            // A full channel: the loop has not run for 16 knocks, and the waiting ones will tell.
            let _ = door.try_send(Instant::now());
        }
    });
}
