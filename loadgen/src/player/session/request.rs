//! What is sent for an arrival: its message, and the players of whom its push is expected.

use protocol::outline::{Audience, Push, Tie};
use protocol::protocol::Sending;
use scenarios::plan::PlannedOperation;
use scenarios::plan::operation::Kind;

use crate::delivery::Addressees;
use crate::player::context::PlayerContext;
use crate::player::kept::Kept;
use crate::player::send_values::SendValues;
use crate::record::{Class, classes};
use crate::schedule::Arrival;

/// A request that is ready to be sent.
pub(super) struct Request {
    /// Its message.
    pub(super) message: String,
    /// What its answer holds, where that is how they are matched.
    pub(super) field: Option<Box<str>>,
    /// The push that is expected from the send on, and of whom; none where there is none, or where the answer names it.
    pub(super) push: Option<(Kind, Addressees)>,
}

/// Puts an arrival's request together, by the arrival's own choices.
///
/// # Errors
/// The class of the arrival that cannot be sent: no other player has an open socket, or a value is not there.
pub(super) fn compose(
    player: &PlayerContext,
    planned: &PlannedOperation,
    number: usize,
    arrival: &Arrival,
    id: u64,
    kept: Option<&Kept>,
) -> Result<Request, &'static Class> {
    let (play, plan) = (&*player.play, &*player.play.plan);
    let outline = plan.protocol.outline();
    let Some(operation) = outline.operations.get(number) else { return Err(&classes::UNSENT_NO_OPEN_SOCKET) };
    let mut named = Vec::new();
    if operation.recipients {
        named = play.players.recipients_of(plan, planned, arrival.index);
        if named.is_empty() {
            return Err(&classes::UNSENT_NO_RECIPIENT);
        }
    }
    let recipients: Vec<_> = named.iter().map(|&player| plan.player_id(player)).collect();
    let text = if operation.text {
        play.deliveries.correlation(arrival.operation, arrival.index).text(planned.size as usize)
    } else {
        String::new()
    };
    let operation_values = Some((planned, arrival.index));
    let values =
        SendValues { player, id, recipients: &recipients, text: &text, kept, operation: operation_values };
    let message = plan
        .protocol
        .write(Sending::Operation(number), &values)
        .map_err(|_| &classes::UNSENT_MISSING_VALUE)?;
    let field = plan.protocol.field(number, &values).map(String::into_boxed_str);
    let push = operation
        .push
        .and_then(|push| Some((Kind::of(push), expected(player, &outline.pushes[push], named)?)));
    Ok(Request { message, field, push })
}

/// Of whom a push is expected as soon as the request is sent; none where the answer decides. One that reads slowly or not
/// at all is sent to, but says nothing about the backend.
fn expected(player: &PlayerContext, push: &Push, mut named: Vec<u32>) -> Option<Addressees> {
    let (play, me) = (&*player.play, player.number);
    let reads = |other: u32| play.players.reads(other);
    Some(match (push.tie, push.to) {
        (Tie::Kept(_), _) => return None,
        // Of the sender, whoever is named.
        (Tie::Player, _) => Addressees::named(Vec::new()),
        (Tie::Marker, Audience::Sender) => Addressees::named(vec![me]),
        (Tie::Marker, Audience::Recipients) => {
            named.retain(|&player| play.players.reads(player));
            Addressees::named(named)
        }
        (Tie::Marker, Audience::Room) => Addressees::within(play.plan.rooms.with(me), reads),
        (Tie::Marker, Audience::Everyone) => Addressees::within(0..play.plan.players, reads),
    })
}
