//! A worker's part of the run, from the end of its preparation to its own end: the same in the run's own process and in
//! one of its own.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use scenarios::plan::SWEEP;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::messages::ToRun;
use crate::delivery::relay::Relay;
use crate::generate::error::GenerateError;
use crate::generate::generation::Generation;
use crate::generate::stage::{Stage, StopReason};
use crate::player::Targets;

/// How often the other workers get a batch.
const BATCH: Duration = Duration::from_millis(25);

/// Carries out this process's part: reports that it is ready, begins and stops with `stage`, and sends every second.
/// `targets` are the addresses whose queues in the kernel are part of this process's health.
pub(super) async fn carry_out(
    mut generation: Generation,
    targets: Targets,
    mut stage: watch::Receiver<Stage>,
    send: impl Fn(ToRun) + Clone + Send + 'static,
) -> Result<(), GenerateError> {
    send(ToRun::Ready);
    let begun = stage.wait_for(|stage| *stage != Stage::Preparing).await.map(|stage| *stage);
    let Ok(Stage::Running { zero }) = begun else { return Ok(()) };
    let play = Arc::clone(&generation.play);
    play.clock.start_at(zero);
    generation.begin();
    let collector = generation.collector(targets);
    let (stop_collecting, stopped) = mpsc::channel();
    let send_second = send.clone();
    let collecting = tokio::task::spawn_blocking(move || {
        collector.run(&stopped, |second| send_second(ToRun::Second(second)))
    });
    let over = CancellationToken::new();
    let batches =
        play.deliveries.relay().cloned().map(|relay| send_batches(relay, send.clone(), over.clone()));

    let mut sweep = tokio::time::interval(SWEEP);
    let mut quiet = false;
    let reason = loop {
        tokio::select! {
            _ = sweep.tick() => generation.sweep(),
            reason = stop_reason(&mut stage) => break reason,
        }
        let now = generation.has_nothing_left();
        if now != quiet {
            quiet = now;
            send(ToRun::Quiet(quiet));
        }
    };
    let peak_open = play.players.peak_open();
    generation.end(reason).await;
    drop(stop_collecting);
    let panicked = |source| GenerateError::Panicked { part: "the collector", source };
    let watched = collecting.await.map_err(panicked)?;
    over.cancel();
    if let Some(batches) = batches {
        // It sleeps for a moment at most.
        let _ = tokio::task::spawn_blocking(move || batches.join()).await;
    }
    send(ToRun::Finished { watched, peak_open });
    Ok(())
}

/// Why the run is over, once it is; a run that is gone counts as interrupted.
async fn stop_reason(stage: &mut watch::Receiver<Stage>) -> StopReason {
    match stage.wait_for(|stage| matches!(stage, Stage::Stopped(_))).await.map(|stage| *stage) {
        Ok(Stage::Stopped(reason)) => reason,
        _ => StopReason::Interrupted,
    }
}

/// Sends the other workers what they should know, on a thread of its own, which no busy event loop holds up.
fn send_batches(
    relay: Arc<Relay>,
    send: impl Fn(ToRun) + Send + 'static,
    over: CancellationToken,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        while !over.is_cancelled() {
            thread::sleep(BATCH);
            if let Some(batch) = relay.take() {
                send(ToRun::PeerBatch(batch));
            }
        }
    })
}
