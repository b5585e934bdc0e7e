//! A plan that is carried out in this process for its own sake: the same part of a worker as in a run, without a run folder,
//! a display or a verdict.

use futures_util::future::OptionFuture;
use tokio::sync::{mpsc, watch};

use super::coordinator::{LEAD, LINGER};
use super::messages::ToRun;
use super::part;
use crate::clock::monotonic;
use crate::generate::error::GenerateError;
use crate::generate::generation::{Generation, Setup};
use crate::generate::signals::first_interruption;
use crate::generate::stage::{Stage, StopReason};
use crate::record::{Tally as _, ThreadTally};

/// Carries a plan out until nothing of it is awaited, or until it is interrupted. Returns why it ended, and what was counted.
pub(crate) async fn carry_out(setup: Setup) -> Result<(StopReason, ThreadTally), GenerateError> {
    let interruption = first_interruption()?;
    let targets = setup.endpoint.targets();
    let generation = Generation::prepare(setup).await?;
    let (stage, stages) = watch::channel(Stage::Preparing);
    let (messages, mut received) = mpsc::unbounded_channel();
    let send = move |message| {
        // Whoever receives them is there until the last.
        let _ = messages.send(message);
    };
    let part = tokio::spawn(part::carry_out(generation, targets, stages, send));
    let (mut total, mut ended) = (ThreadTally::default(), None);
    let mut lingering: Option<std::pin::Pin<Box<tokio::time::Sleep>>> = None;
    loop {
        let reason = tokio::select! {
            message = received.recv() => {
                match message {
                    Some(ToRun::Ready) => {
                        stage.send_replace(Stage::Running { zero: monotonic() + LEAD });
                    }
                    Some(ToRun::Second(second)) => total.merge(&second.tally),
                    Some(ToRun::Quiet(quiet)) => {
                        lingering = quiet.then(|| Box::pin(tokio::time::sleep(LINGER)));
                    }
                    Some(_) => {}
                    None => break,
                }
                continue;
            }
            Some(()) = OptionFuture::from(lingering.as_mut()), if ended.is_none() => StopReason::Finished,
            () = interruption.cancelled(), if ended.is_none() => StopReason::Interrupted,
        };
        ended = Some(reason);
        stage.send_replace(Stage::Stopped(reason));
    }
    let panicked = |source| GenerateError::Panicked { part: "the generator", source };
    part.await.map_err(panicked)??;
    Ok((ended.unwrap_or(StopReason::Finished), total))
}
