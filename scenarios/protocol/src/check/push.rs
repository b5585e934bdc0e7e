//! Pushes: what links each to its send, who gets it, and which of several is awaited.

use std::collections::BTreeMap;

use super::context::{Check, Placed};
use super::stamps::stamps;
use super::work::work;
use crate::keys::operation::{Push as Keys, Tie as TieKeys, TieValue, To};
use crate::outline;
use crate::outline::{Audience, Tie};
use crate::reading::push::Push;
use crate::reading::stamps::Stamps;
use crate::template::{Name, Template};

/// The error class of a push that says that what was asked for has failed, where the file gives none.
const PUSH_FAILED: &str = "push_failed";

/// A push that has been read.
pub(super) struct Checked {
    pub(super) outline: outline::Push,
    pub(super) push: Push,
    pub(super) stamps: Option<Stamps>,
    /// By what shape it is known.
    pub(super) shape: Placed,
}

/// The operation that it comes of.
pub(super) struct Cause<'o> {
    pub(super) number: usize,
    pub(super) name: &'o str,
    pub(super) send: Option<&'o Template>,
    /// Names of the values that its answers keep.
    pub(super) kept: Vec<&'o String>,
    /// The functions that do its work.
    pub(super) functions: &'o [String],
}

/// Checks a push, the `number`th.
pub(super) fn push(
    check: &mut Check<'_>,
    pointer: &str,
    keys: &Keys,
    cause: &Cause<'_>,
    number: usize,
) -> Option<Checked> {
    let key = |name: &str| format!("{pointer}/{name}");
    let name = keys.name.as_deref().unwrap_or(cause.name);
    if keys.name.is_some() {
        check.name(&key("name"), name);
    }
    let placed_when = check.rule(&key("when"), &keys.when);
    let when = placed_when.as_ref().map(|placed| check.add(placed, None));
    let tie = tie(check, &key("tie"), &keys.tie, cause);
    let to = to(check, pointer, keys, cause, tie);
    if keys.sender && to == Audience::Sender {
        let remedy = "leave it out: it goes to the sender alone";
        check.wrong(&key("sender"), "says nothing more", remedy);
    }
    let at = match &keys.tie {
        TieKeys::Value(TieValue { kept: Some(_), at: Some(at), .. }) => check.value(&key("tie/at"), at, when),
        _ => None,
    };
    let last = check.rules(&key("final"), keys.last.as_ref());
    let failed = check.rules(&key("failed"), keys.failed.as_ref());
    for placed in last.iter().chain(&failed) {
        check.contradicts_when(&placed.beside(placed_when.as_ref()));
    }
    if keys.class.is_some() && keys.last.is_none() && keys.failed.is_none() {
        let remedy = "say with `final` which one is awaited, or with `failed` which one says so";
        check.wrong(&key("class"), "no push says that anything failed", remedy);
    }
    let last = last.iter().map(|placed| check.add(placed, when)).collect();
    let failed: Vec<_> = failed
        .iter()
        .map(|placed| {
            let rule = check.add(placed, when);
            (rule, check.class(&key("class"), keys.class.as_ref(), Some(rule), PUSH_FAILED))
        })
        .collect();
    let all_others_failed = keys.last.is_some() && keys.failed.is_none() && keys.class.is_some();
    let otherwise =
        all_others_failed.then(|| check.class(&key("class"), keys.class.as_ref(), when, PUSH_FAILED));
    let (stamped, stamps) =
        stamps(check, &key("stamps"), &keys.stamps, placed_when.as_ref(), cause.functions);
    let outline = outline::Push {
        name: name.to_owned(),
        operation: cause.number,
        tie: tie?,
        to,
        sender: keys.sender,
        shape: keys.words(),
        stamps: stamped,
        work: work(&keys.work),
    };
    let push = Push { number, when: when?, tie: at, last, failed, otherwise };
    Some(Checked { outline, push, stamps, shape: placed_when? })
}

fn tie(check: &mut Check<'_>, pointer: &str, keys: &TieKeys, cause: &Cause<'_>) -> Option<Tie> {
    match keys {
        TieKeys::Word(_) => {
            if cause.send.is_some_and(|send| !send.asks_for(&Name::Text)) {
                let problem = "the message holds no text in which a marker could come back";
                let remedy = "put `${text}` into `send`, or tie the push by { kept = \"…\", at = \"/…\" } or { player = true }";
                check.wrong(pointer, problem, remedy);
            }
            Some(Tie::Marker)
        }
        TieKeys::Value(TieValue { kept: None, at: None, player: true }) => Some(Tie::Player),
        TieKeys::Value(TieValue { kept: Some(kept), at, player: false }) => {
            if at.is_none() {
                let remedy = "say where the value stands in the push, e.g. at = \"/ticket\"";
                check.wrong(pointer, "`at` is missing", remedy);
            }
            if !cause.kept.contains(&kept) {
                let problem = format!("no answer of `{}` fills `{kept}`", cause.name);
                let remedy = format!("let its answer keep it, e.g. keep = {{ {kept} = \"/{kept}\" }}");
                check.wrong(&format!("{pointer}/kept"), problem, remedy);
                return None;
            }
            check.kept.iter().position(|name| name == kept).map(Tie::Kept)
        }
        TieKeys::Value(_) => {
            let remedy = "write \"marker\", { kept = \"ticket\", at = \"/ticket\" } or { player = true }";
            check.wrong(pointer, "links the push to nothing, or in two ways", remedy);
            None
        }
    }
}

fn to(check: &mut Check<'_>, pointer: &str, keys: &Keys, cause: &Cause<'_>, tie: Option<Tie>) -> Audience {
    let at = format!("{pointer}/to");
    let names_recipients = cause.send.is_none_or(names_recipients);
    match (keys.to, tie) {
        (Some(To::Recipients | To::Room | To::Everyone), Some(Tie::Kept(_) | Tie::Player)) => {
            let remedy = "leave it out, or tie the push by \"marker\"";
            let problem =
                "a push that is tied by a kept value or the player goes to nobody but the one that asked";
            check.wrong(&at, problem, remedy);
            Audience::Sender
        }
        (Some(To::Recipients), _) => {
            if !names_recipients {
                let remedy =
                    "put `${recipients}` into `send`, or write to = \"room\", \"everyone\" or \"sender\"";
                check.wrong(&at, "the message names no recipients", remedy);
            }
            Audience::Recipients
        }
        (Some(To::Room), _) => Audience::Room,
        (Some(To::Everyone), _) => Audience::Everyone,
        (Some(To::Sender), _) | (None, Some(Tie::Kept(_) | Tie::Player)) => Audience::Sender,
        // What it is tied by may say who gets it.
        (None, None) => Audience::Recipients,
        (None, Some(Tie::Marker)) => {
            if !names_recipients {
                let remedy = "write to = \"room\", \"everyone\" or \"sender\"";
                check.wrong(pointer, "does not say who gets it", remedy);
            }
            Audience::Recipients
        }
    }
}

/// Whether a message names other players.
pub(super) fn names_recipients(send: &Template) -> bool {
    send.asks_for(&Name::Recipients) || send.asks_for(&Name::Recipient)
}

/// Tells of pushes of one name.
pub(super) fn names(check: &mut Check<'_>, pushes: &[(String, String)]) {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for (pointer, name) in pushes {
        if let Some(other) = known.insert(name, pointer) {
            let place = check.findings.document().place(other);
            check.wrong(
                pointer,
                format!("another push is called `{name}` ({place})"),
                "give it a `name` of its own",
            );
        }
    }
}
