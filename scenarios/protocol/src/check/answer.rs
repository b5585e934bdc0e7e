//! Answers: how each finds its request, and whether it is a good one.

use super::context::{ANSWER_FAILED, Check, Placed};
use super::names::{OF_AN_OPERATION, Sent};
use crate::keys::operation::{Answer as Keys, By};
use crate::matching::RuleNumber;
use crate::reading::answer::{Answer, Otherwise, To};
use crate::template::{Name, SendNames, Template};

/// An answer that has been read.
pub(super) struct Checked {
    pub(super) answer: Answer,
    /// By what shapes alone it is known, where it is matched by order.
    pub(super) shapes: Vec<Placed>,
    /// What it holds where it is matched by a field.
    pub(super) field: Option<Template>,
}

/// The operation that is answered.
pub(super) struct Asked<'o> {
    pub(super) number: usize,
    pub(super) send: Option<&'o Template>,
    pub(super) parameters: Vec<&'o str>,
}

impl Asked<'_> {
    /// Whether its message holds a name; one that is wrong may hold anything.
    fn holds(&self, name: &Name) -> bool {
        self.send.is_none_or(|send| send.asks_for(name))
    }
}

/// Checks an answer; `None` where there is none, or where too much is wrong in it.
pub(super) fn answer(
    check: &mut Check<'_>,
    pointer: &str,
    keys: &Keys,
    asked: &Asked<'_>,
) -> Option<Checked> {
    let key = |name: &str| format!("{pointer}/{name}");
    unused(check, pointer, keys);
    if keys.by == By::None {
        return None;
    }
    let when = keys.when.as_ref().and_then(|when| check.rule(&key("when"), when));
    let ignore = check.rules(&key("ignore"), keys.ignore.as_ref());
    let failed = check.rules(&key("failed"), keys.failed.as_ref());
    let ok = check.rules(&key("ok"), keys.ok.as_ref());
    let number = when.as_ref().map(|placed| check.add(placed, None));
    let asks_for_id = when.as_ref().is_some_and(|placed| placed.rule.asks_for_id());
    let (to, field) = to(check, pointer, keys, asked, number, asks_for_id);
    let judged = [&ok, &failed, &ignore].into_iter().flatten();
    let mut shapes: Vec<_> = judged.map(|placed| placed.beside(when.as_ref())).collect();
    let good: Vec<_> = shapes[..ok.len()].iter().map(|placed| placed.rule.clone()).collect();
    check.never_filled(&key("keep"), &keys.keep, &good);
    shapes.iter().for_each(|shape| check.contradicts_when(shape));
    if shapes.is_empty() {
        shapes.extend(when.clone());
    }
    if keys.by == By::Order && keys.when.is_none() && keys.ok.is_none() && keys.failed.is_none() {
        let remedy = "say with `ok` what a good answer is, e.g. { text = \"Sent\" }";
        check.wrong(pointer, "takes every message for an answer", remedy);
    }
    let class_of = |check: &mut Check<'_>, within: Option<RuleNumber>| {
        check.class(&key("class"), keys.class.as_ref(), within, ANSWER_FAILED)
    };
    let ignore = ignore.iter().map(|placed| check.add(placed, number)).collect();
    let failed = failed
        .iter()
        .map(|placed| {
            let rule = check.add(placed, number);
            (rule, class_of(check, Some(rule)))
        })
        .collect::<Vec<_>>();
    let good = ok.iter().map(|placed| {
        let rule = check.add(placed, number);
        let asks_for_id = placed.rule.asks_for_id();
        (rule, check.keep(&key("keep"), &keys.keep, Some(rule), asks_for_id))
    });
    let good: Vec<_> = good.collect();
    let otherwise = match (keys.by, keys.ok.is_some(), keys.failed.is_some()) {
        (By::Order, false, false) | (By::Id | By::Field | By::Echo, false, _) => {
            Otherwise::Ok(check.keep(&key("keep"), &keys.keep, number, asks_for_id))
        }
        (By::Order, ..) => Otherwise::Unanswered,
        _ => Otherwise::Failed(class_of(check, number)),
    };
    if keys.by != By::Order {
        shapes.clear();
    }
    let answer =
        Answer { operation: asked.number, to: to?, when: number, ignore, failed, ok: good, otherwise };
    Some(Checked { answer, shapes, field })
}

/// Keys that mean nothing with this way of finding the request.
fn unused(check: &mut Check<'_>, pointer: &str, keys: &Keys) {
    let by = match keys.by {
        By::Id => "id",
        By::Field => "field",
        By::Echo => "echo",
        By::Order => "order",
        By::None => "none",
    };
    let at = matches!(keys.by, By::Id | By::Field);
    let none = keys.by == By::None;
    for (name, there) in [
        ("at", keys.at.is_some() && !at),
        ("is", keys.is.is_some() && keys.by != By::Field),
        ("when", keys.when.is_some() && none),
        ("ok", keys.ok.is_some() && none),
        ("failed", keys.failed.is_some() && none),
        ("ignore", keys.ignore.is_some() && none),
        ("keep", !keys.keep.is_empty() && none),
        ("class", keys.class.is_some() && none),
    ] {
        if there {
            let remedy = "leave it out, or choose another `by`";
            check.wrong(&format!("{pointer}/{name}"), format!("means nothing with by = \"{by}\""), remedy);
        }
    }
}

/// How the request is found, and what it must have held.
fn to(
    check: &mut Check<'_>,
    pointer: &str,
    keys: &Keys,
    asked: &Asked<'_>,
    when: Option<RuleNumber>,
    when_asks_for_id: bool,
) -> (Option<To>, Option<Template>) {
    let key = |name: &str| format!("{pointer}/{name}");
    let at = keys.at.as_ref().map(|at| check.value(&key("at"), at, when));
    let missing = |check: &mut Check<'_>, what: &str, remedy: &str| {
        check.wrong(pointer, format!("`{what}` is missing"), remedy);
    };
    match keys.by {
        By::Id => {
            if !asked.holds(&Name::Id) {
                let remedy = "put `${id}` into `send`, or find the request by \"order\"";
                check.wrong(&key("by"), "the message has no number that an answer could name", remedy);
            }
            match (at, when) {
                (Some(at), _) => (at.map(To::Id), None),
                (None, Some(when)) if when_asks_for_id => (Some(To::IdIn(when)), None),
                (None, _) => {
                    // A `when` that is wrong may have asked for it.
                    if keys.when.is_none() || when.is_some() {
                        missing(
                            check,
                            "at",
                            "say where the number stands, e.g. at = \"/id\", or let `when` ask for `${id}`",
                        );
                    }
                    (None, None)
                }
            }
        }
        By::Field => {
            if at.is_none() {
                missing(check, "at", "say where the value stands, e.g. at = \"/channel\"");
            }
            let Some(is) = &keys.is else {
                missing(check, "is", "say what it is, e.g. is = \"room:${room}\"");
                return (None, None);
            };
            let kept = check.kept.clone();
            let names = SendNames { kept: &kept, parameters: asked.parameters.clone() };
            let field = check.template(&key("is"), is, &mut Sent { words: OF_AN_OPERATION, names });
            if field.as_ref().is_some_and(|field| field.names().next().is_none()) {
                check.wrong(
                    &key("is"),
                    "is the same for every request",
                    "let it hold a value, e.g. \"room:${room}\"",
                );
            }
            (at.flatten().map(To::Field), field)
        }
        By::Echo => {
            if !asked.holds(&Name::Text) {
                let remedy = "put `${text}` into `send`, or find the request by \"order\"";
                check.wrong(&key("by"), "the message holds no text that an answer could repeat", remedy);
            }
            (Some(To::Echo), None)
        }
        By::Order => (Some(To::Oldest), None),
        By::None => (None, None),
    }
}
