//! An operation that a player polls over REST, in a task of its own. What is asked, and what an answer says, is the
//! protocol's.

use std::sync::Arc;

use protocol::protocol::{Asked, Missing, Outcome as PollOutcome, Polled};
use scenarios::plan::PlannedOperation;
use scenarios::plan::operation::What;

use super::context::{Outcome, PlayerContext};
use super::error::ConnectError;
use super::kept::Kept;
use super::rest::Rest;
use super::send_values::SendValues;
use super::shared::Play;
use super::tap::{Purpose, Sight};
use super::think_time::Pause;
use crate::auth::head;
use crate::record::{Event, classes};
use crate::schedule::Arrival;

/// Bytes that are shown of an answer that means nothing.
const SHOWN: usize = 512;

/// Has an operation polled for a player.
pub(super) fn start(play: &Arc<Play>, number: u32, arrival: Arrival) {
    let player = PlayerContext::without_goose(Arc::clone(play), number);
    tokio::spawn(poll(player, arrival));
}

async fn poll(player: PlayerContext, arrival: Arrival) {
    let play = &*player.play;
    let planned = play.plan.operation(arrival.operation);
    let (Some(rest), What::Poll(number)) = (&play.rest, planned.what) else {
        return player.unsent(&arrival, &classes::UNSENT_RUN_ENDED);
    };
    let sent = player.now();
    player.sent(&arrival, sent);
    let asked = Asking { player: &player, rest, planned, number, index: arrival.index };
    let settled = tokio::select! {
        settled = tokio::time::timeout(planned.timeout, asked.settle()) => settled,
        () = rest.stopped() => Ok(Err(ConnectError::new(&classes::INTERRUPTED, "the run ended"))),
    };
    let now = player.now();
    let outcome = match &settled {
        Ok(Ok(())) => Outcome::Completed,
        Ok(Err(ConnectError { class, detail })) => Outcome::Failed { class, detail: Some(detail) },
        Err(_) => Outcome::TimedOut,
    };
    player.ended(&arrival, sent, now, outcome);
    if play.think_time.think(now, player.number, arrival.operation, Pause::Again) {
        play.players.wake(player.number);
    }
}

/// What a player asks for.
struct Asking<'a> {
    player: &'a PlayerContext,
    rest: &'a Rest,
    planned: &'a PlannedOperation,
    /// The operation's number in the protocol.
    number: usize,
    index: u64,
}

impl Asking<'_> {
    /// Asks for it, and how it stands until that is settled, with pauses between; whatever push has a value that an answer
    /// names is not awaited.
    async fn settle(&self) -> Result<(), ConnectError> {
        let Self { player, rest, planned, number, index } = *self;
        let play = &*player.play;
        let (mut kept, mut asked) = (Kept::default(), Asked::First);
        loop {
            let values = SendValues {
                player,
                id: 0,
                recipients: &[],
                text: "",
                kept: Some(&kept),
                operation: Some((planned, index)),
            };
            let request = play.plan.protocol.ask(number, asked, &values).map_err(|Missing { name }| {
                ConnectError::new(&classes::UNSENT_MISSING_VALUE, format!("`{name}` is not there"))
            })?;
            let Some(request) = request else { return Ok(()) };
            player.show(player.now(), |shown| Sight::Sent {
                message: shown(&format!("{} {}", request.method, request.path)),
                purpose: Purpose::Poll(planned.operation),
            });
            player.observe(Event::RestAsked);
            let body = rest.ask(player.number, &play.credentials, &request).await?;
            if let Some(settled) = self.judge(&body, &mut kept) {
                return settled;
            }
            tokio::time::sleep(planned.every).await;
            asked = Asked::Again;
        }
    }

    /// What an answer says: how it was settled, if it was. Its values are kept.
    fn judge(&self, body: &str, kept: &mut Kept) -> Option<Result<(), ConnectError>> {
        let Self { player, planned, number, .. } = *self;
        let play = &*player.play;
        let polled = play.plan.protocol.read_polled(number, body);
        player.show(player.now(), |shown| Sight::Polled {
            message: shown(body),
            operation: planned.operation,
            outcome: polled.as_ref().map(|polled| polled.outcome.shown(shown)),
        });
        let Some(Polled { outcome, keep }) = polled else {
            return Some(Err(ConnectError::new(&classes::GARBAGE, head(body, SHOWN))));
        };
        // The backend pushes it all the same.
        keep.iter().for_each(|(_, value)| play.deliveries.set_aside(value));
        kept.keep(keep);
        match outcome {
            PollOutcome::Ok => Some(Ok(())),
            PollOutcome::Pending => None,
            PollOutcome::Failed(class) => {
                let class = player.observer.class_of(player.number, "", &class);
                Some(Err(ConnectError::new(class, head(body, SHOWN))))
            }
        }
    }
}
