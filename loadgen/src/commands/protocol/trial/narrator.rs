//! What a player's socket did, in words: what a message was sent or taken for, and by which rule.

use std::collections::HashMap;

use protocol::outline::Tie;
use protocol::protocol::{Meaning, Outcome, PushOutcome, Read, Request};
use scenarios::Plan;
use scenarios::plan::operation::Operation;

use crate::clock::Micros;
use crate::delivery::Receipt;
use crate::player::{Fate, Offer, Purpose, Sight};

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Out,
    In,
    /// There is no message: something happened to the socket.
    Neither,
}

/// A sight in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) at: Micros,
    /// The player's number, from 1.
    pub(super) player: u32,
    pub(super) way: Way,
    pub(super) message: String,
    /// A word for programs.
    pub(super) kind: &'static str,
    /// The operation, step or push that it belongs to.
    pub(super) of: Option<String>,
    /// For people: what it was sent or taken for, and why.
    pub(super) said: String,
}

/// Tells what it is shown; remembers who sent what.
pub(super) struct Narrator<'n> {
    plan: &'n Plan,
    /// By operation and arrival, the number of the player.
    senders: HashMap<(Operation, u64), u32>,
}

/// What is said of a message: a word for programs, what it belongs to, and a sentence.
type Said = (&'static str, Option<String>, String);

impl<'n> Narrator<'n> {
    pub(super) fn new(plan: &'n Plan) -> Self {
        Self { plan, senders: HashMap::new() }
    }

    /// A sight in words; `player` is counted from 0.
    pub(super) fn tell(&mut self, player: u32, at: Micros, sight: Sight) -> Told {
        let id = self.plan.player_id(player);
        let player = player + 1;
        let (way, message, (kind, of, said)) = match sight {
            Sight::Connected => {
                (Way::Neither, String::new(), ("connected", None, format!("connected as {id}")))
            }
            Sight::Refused { class, detail } => {
                (Way::Neither, detail, ("refused", None, format!("could not connect: {class}")))
            }
            Sight::Ended { class, detail } => {
                (Way::Neither, detail, ("ended", None, format!("the socket ended: {class}")))
            }
            Sight::Sent { message, purpose } => (Way::Out, message, self.sent(player, purpose)),
            Sight::Received { message, read, offers, marker } => {
                (Way::In, message, self.received(player, read, &offers, marker))
            }
            Sight::Polled { message, operation, outcome } => {
                (Way::In, message, self.polled(operation, outcome.as_ref()))
            }
        };
        Told { at, player, way, message, kind, of, said }
    }

    fn name(&self, operation: Operation) -> &'n str {
        &self.plan.operation(operation).name
    }

    fn sent(&mut self, player: u32, purpose: Purpose) -> Said {
        match purpose {
            Purpose::Request { operation, arrival, id } => {
                self.senders.insert((operation, arrival), player);
                let name = self.name(operation);
                ("request", Some(name.into()), format!("{name}, message {id}"))
            }
            Purpose::Step(step) => {
                let step = self.step(step);
                let said = format!("step {step} of the opening");
                ("opening", Some(step), said)
            }
            Purpose::Heartbeat => ("heartbeat", None, "the heartbeat".into()),
            Purpose::Reply => ("reply", None, "at once, as [[replies]] has it".into()),
            Purpose::Poll(operation) => {
                let name = self.name(operation);
                ("poll", Some(name.into()), format!("{name}, over REST"))
            }
        }
    }

    fn received(&self, player: u32, read: Read, offers: &[Offer], marker: Option<(Operation, u64)>) -> Said {
        match (read, offers) {
            (Read::Unclassified, _) => {
                ("unclassified", None, "unclassified: no rule of the protocol takes it".into())
            }
            (Read::Taken, [.., Offer { meaning, fate }]) => self.meant(player, meaning, *fate, marker),
            // What the scenario itself sends to keep the socket open.
            (Read::Taken, []) => ("heartbeat_answer", None, "taken for the answer to the heartbeat".into()),
            (Read::Known, offers) => {
                let would =
                    offers.iter().map(|offer| self.meant(player, &offer.meaning, offer.fate, marker).2);
                let would: Vec<_> = would.collect();
                ("not_awaited", None, format!("nothing awaits it; it would be: {}", would.join("; or: ")))
            }
        }
    }

    fn meant(
        &self,
        player: u32,
        meaning: &Meaning<'_>,
        fate: Fate,
        marker: Option<(Operation, u64)>,
    ) -> Said {
        let outline = self.plan.protocol.outline();
        match meaning {
            Meaning::Answer { operation, to, outcome, .. } => {
                let name = outline.operations.get(*operation).map_or("", |operation| &operation.name);
                let by = match to {
                    Request::Id(id) => format!("by id {id}"),
                    Request::Field(value) => format!("by its value {value}"),
                    Request::Echo => "by the text that it repeats".into(),
                    Request::Oldest => "in order".into(),
                };
                let (kind, outcome, rule) = match outcome {
                    Outcome::Ok => ("answer", String::new(), "answer"),
                    Outcome::Failed(class) => ("failed_answer", format!(", which failed: {class}"), "answer"),
                    Outcome::Pending => {
                        ("not_the_answer", ", which is not the last".into(), "answer.ignore")
                    }
                };
                let said = format!("answer to {name}{outcome} ({by}; rule operations.{name}.{rule})");
                (kind, Some(name.into()), said)
            }
            Meaning::Push { push, outcome, .. } => {
                self.pushed(player, *push, outcome, fate, marker)
            }
            Meaning::Opened { step, id, failed, .. } => {
                let (step, by) = (self.step(*step), id.map_or_else(String::new, |id| format!("by id {id}; ")));
                let (kind, outcome, rule) = match failed {
                    None => ("opening", String::new(), "await"),
                    Some(class) => ("failed_opening", format!(", which failed: {class}"), "failed"),
                };
                let said = format!("answer to step {step}{outcome} ({by}rule opening.{step}.{rule})");
                (kind, Some(step), said)
            }
            Meaning::HeartbeatAnswer { .. } => {
                ("heartbeat_answer", None, "answer to the heartbeat (rule heartbeat.expect)".into())
            }
            Meaning::Reply(_) => ("replied", None, "answered at once (a rule of [[replies]])".into()),
            Meaning::Error { .. } => (
                "error",
                None,
                "an error that names no request, and fails one that is open (a rule of [[errors]], or API Gateway's)"
                    .into(),
            ),
            Meaning::Ignored => ("ignored", None, "known, and awaited by nobody".into()),
        }
    }

    fn pushed(
        &self,
        player: u32,
        push: usize,
        outcome: &PushOutcome<'_>,
        fate: Fate,
        marker: Option<(Operation, u64)>,
    ) -> Said {
        let outline = self.plan.protocol.outline();
        let Some(push) = outline.pushes.get(push) else { return ("push", None, "a push".into()) };
        let name = &push.name;
        let operation = outline.operations.get(push.operation).map_or("", |operation| &operation.name);
        let (sender, tie) = match push.tie {
            Tie::Marker => (marker.and_then(|of| self.senders.get(&of)).copied(), "by the marker".to_owned()),
            Tie::Kept(number) => {
                let kept = outline.kept.get(number).map_or("", String::as_str);
                (Some(player), format!("by its {kept}"))
            }
            Tie::Player => (Some(player), "by its player".to_owned()),
        };
        let sender = sender.map_or_else(|| "a".to_owned(), |player| format!("player {player}'s"));
        let rule = format!("({tie}; rule operations.{operation}.push.when)");
        let of = Some(name.clone());
        let sends = format!("{sender} {operation}");
        let fate = match fate {
            Fate::Pushed(receipt) => receipt,
            Fate::Taken | Fate::Declined => None,
        };
        match (outcome, fate) {
            (PushOutcome::Progress, _) => {
                ("progress", of, format!("push {name}, the last of which will follow {rule}"))
            }
            (_, Some(Receipt::Unexpected)) => {
                let why = match push.tie {
                    Tie::Marker => "no message of this try is marked in it",
                    Tie::Kept(_) | Tie::Player => "nothing that its player has sent leads to it",
                };
                ("unexpected_push", of, format!("push {name}, which nobody awaits: {why} {rule}"))
            }
            (_, Some(Receipt::Duplicate { .. })) => {
                ("duplicate_push", of, format!("second copy of push {name} of {sends} {rule}"))
            }
            (_, Some(Receipt::Aside)) => {
                ("aside", of, format!("push {name}, as it should be, and counted nowhere {rule}"))
            }
            (_, Some(Receipt::TooLate)) => {
                ("late_push", of, format!("push {name} of {sends}, too late {rule}"))
            }
            (PushOutcome::Failed(class), _) => {
                ("failed_push", of, format!("push {name} of {sends}, which failed: {class} {rule}"))
            }
            (PushOutcome::Final, None) => {
                ("early_push", of, format!("push {name}, before the answer that names it {rule}"))
            }
            (PushOutcome::Final, Some(_)) => ("push", of, format!("push {name} of {sends} {rule}")),
        }
    }

    fn polled(&self, operation: Operation, outcome: Option<&Outcome<'_>>) -> Said {
        let name = self.name(operation);
        let (kind, said) = match outcome {
            Some(Outcome::Ok) => ("polled", format!("{name} is settled (rule poll.final)")),
            Some(Outcome::Pending) => ("pending_poll", format!("{name} is not settled, and polled again")),
            Some(Outcome::Failed(class)) => ("failed_poll", format!("{name} has failed: {class}")),
            None => ("unclassified", format!("unclassified: no rule of operations.{name}.poll takes it")),
        };
        (kind, Some(name.into()), said)
    }

    fn step(&self, step: usize) -> String {
        let steps = &self.plan.protocol.outline().opening;
        steps.get(step).map_or_else(String::new, |step| step.name.clone())
    }
}
