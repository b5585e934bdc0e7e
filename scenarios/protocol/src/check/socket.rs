//! What concerns the socket whatever its player does: frames, opening, heartbeat, replies, errors, closing.

use std::collections::BTreeMap;
use std::time::Duration;

use documents::child;

use super::context::{Check, Placed};
use super::loops;
use super::names::{OF_A_STEP, Sent};
use crate::keys::socket as keys;
use crate::keys::socket::{Retry, SendAs};
use crate::matching::{Pointer, Rule, RuleNumber, Slot, Test};
use crate::outline;
use crate::outline::{Frames, Split};
use crate::reading::step::Step;
use crate::template::{Name, SendNames, Template};

/// The longest pause after a step of the opening.
const LONGEST_SETTLE: Duration = Duration::from_secs(60);
/// Close codes that a server may send (RFC 6455, 7.4).
const CLOSE_CODES: std::ops::RangeInclusive<u16> = 1000..=4999;

pub(super) fn frames(check: &mut Check<'_>, keys: &keys::Frames) -> Frames {
    let split = match keys.split.as_deref() {
        None => Split::Whole,
        Some("array") => Split::Array,
        Some("") => {
            check.wrong(
                "/frames/split",
                "parts nothing",
                "write what parts messages, e.g. \"\\n\", or leave it out",
            );
            Split::Whole
        }
        Some(at) => Split::At(at.to_owned()),
    };
    Frames { join: keys.join.clone(), split, binary: keys.send_as == SendAs::Binary }
}

/// The steps of the opening.
pub(super) struct Opening {
    pub(super) outlines: Vec<outline::Step>,
    pub(super) sends: Vec<Option<Template>>,
    pub(super) steps: Vec<Step>,
}

pub(super) fn opening(check: &mut Check<'_>, all: &[keys::Step]) -> Opening {
    let mut opening = Opening { outlines: Vec::new(), sends: Vec::new(), steps: Vec::new() };
    // A step's message may hold what those before it have kept.
    let mut kept = 0;
    for (number, keys) in all.iter().enumerate() {
        let pointer = format!("/opening/{number}");
        let settle = keys.settle.map_or(Duration::ZERO, |settle| {
            let at = format!("{pointer}/settle");
            if settle.0 > LONGEST_SETTLE {
                check.wrong(&at, "must be at most a minute", "write e.g. \"300ms\"");
            }
            settle.0
        });
        let send = keys.send.as_ref().and_then(|text| {
            let names = check.kept[..kept].to_vec();
            message(check, &format!("{pointer}/send"), text, &names)
        });
        let step = awaited(check, number, &pointer, keys, send.as_ref());
        kept = kept.max(highest(check, &keys.keep));
        opening.outlines.push(outline::Step {
            name: keys.name.clone().unwrap_or_else(|| (number + 1).to_string()),
            sends: keys.send.is_some(),
            awaits: keys.awaited.is_some(),
            settle,
        });
        opening.sends.push(send);
        opening.steps.extend(step);
    }
    opening
}

/// How many names of kept values there are up to the last of these.
fn highest(check: &Check<'_>, keep: &BTreeMap<String, String>) -> usize {
    let numbers = keep.keys().filter_map(|name| check.kept.iter().position(|kept| kept == name));
    numbers.map(|number| number + 1).max().unwrap_or(0)
}

fn awaited(
    check: &mut Check<'_>,
    number: usize,
    pointer: &str,
    keys: &keys::Step,
    send: Option<&Template>,
) -> Option<Step> {
    let [at, failed, keep] = ["await", "failed", "keep"].map(|key| format!("{pointer}/{key}"));
    if keys.awaited.is_none() {
        if keys.failed.is_some() {
            let remedy = "say with `await` what a good answer has";
            check.wrong(&failed, "nothing is awaited that could fail", remedy);
        }
        if !keys.keep.is_empty() {
            let remedy = "say with `await` from which message they come";
            check.wrong(&keep, "nothing is awaited that values could be kept of", remedy);
        }
        if keys.send.is_none() && keys.settle.is_none() {
            check.wrong(pointer, "does nothing", "give it `send`, `await` or `settle`");
        }
        return None;
    }
    let good = check.rules(&at, keys.awaited.as_ref());
    let bad = check.rules(&failed, keys.failed.as_ref());
    // One that is wrong may hold it.
    let sends_id = send.map_or(keys.send.is_some(), |send| send.asks_for(&Name::Id));
    for placed in good.iter().chain(&bad).filter(|placed| placed.rule.asks_for_id() && !sends_id) {
        let problem = "asks for the number of a message that has none";
        check.wrong(&placed.pointer, problem, "put `${id}` into the step's `send`");
    }
    let rules: Vec<_> = good.iter().map(|placed| placed.rule.clone()).collect();
    check.never_filled(&keep, &keys.keep, &rules);
    let failed = bad.iter().map(|placed| check.add(placed, None)).collect();
    let awaited = good.iter().map(|placed| {
        let rule = check.add(placed, None);
        (rule, check.keep(&keep, &keys.keep, Some(rule), placed.rule.asks_for_id()))
    });
    Some(Step { number, awaited: awaited.collect(), failed })
}

/// A message of the opening or the heartbeat.
fn message(check: &mut Check<'_>, pointer: &str, text: &str, kept: &[String]) -> Option<Template> {
    let names = SendNames { kept, parameters: Vec::new() };
    check.template(pointer, text, &mut Sent { words: OF_A_STEP, names })
}

/// What keeps a quiet socket open.
#[derive(Default)]
pub(super) struct Heartbeat {
    pub(super) outline: Option<outline::Heartbeat>,
    pub(super) send: Option<Template>,
    pub(super) expected: Vec<RuleNumber>,
}

pub(super) fn heartbeat(
    check: &mut Check<'_>,
    keys: Option<&keys::Heartbeat>,
    opening: &[keys::Step],
) -> Heartbeat {
    let Some(keys) = keys else { return Heartbeat::default() };
    let every = check.findings.positive("/heartbeat/every", keys.every);
    let silence = keys.silence.map(|silence| check.findings.positive("/heartbeat/silence", silence));
    if silence.is_some_and(|silence| silence <= every) {
        check.findings.wrong_beside(
            "/heartbeat/silence",
            &["/heartbeat/every"],
            "is over before a heartbeat is answered",
            "make it longer than `every`, e.g. twice as long",
        );
    }
    let kept = opening.iter().map(|step| highest(check, &step.keep)).max().unwrap_or(0);
    let kept = check.kept[..kept].to_vec();
    let send = keys.send.as_ref().and_then(|text| message(check, "/heartbeat/send", text, &kept));
    let expected = check.rules("/heartbeat/expect", keys.expect.as_ref());
    // One that is wrong may hold it.
    let sends_id = send.as_ref().map_or(keys.send.is_some(), |send| send.asks_for(&Name::Id));
    for placed in expected.iter().filter(|placed| placed.rule.asks_for_id() && !sends_id) {
        let problem = "asks for the number of a message that has none";
        check.wrong(&placed.pointer, problem, "put `${id}` into the heartbeat's `send`");
    }
    let outline =
        outline::Heartbeat { every, sends: keys.send.is_some(), answered: keys.expect.is_some(), silence };
    let expected = expected.iter().map(|placed| check.add(placed, None)).collect();
    Heartbeat { outline: Some(outline), send, expected }
}

pub(super) fn replies(check: &mut Check<'_>, all: &[keys::Reply]) -> Vec<(RuleNumber, Template)> {
    let mut replies = Vec::new();
    let mut read: Vec<(usize, Placed)> = Vec::new();
    for (index, keys) in all.iter().enumerate() {
        let Some(placed) = check.rule(&format!("/replies/{index}/when"), &keys.when) else { continue };
        let when = check.add(&placed, None);
        if let Some(answer) = check.received(&format!("/replies/{index}/send"), &keys.send, when) {
            replies.push((when, answer));
        }
        read.push((index, placed));
    }
    let sent: Vec<_> = read.iter().map(|(index, placed)| (&placed.rule, all[*index].send.as_str())).collect();
    for at in loops::loops(&sent) {
        check.wrong(
            &format!("/replies/{}/send", read[at].0),
            "may be answered itself, by a target that says it back, and so on without an end",
            "let `when` ask for something that the answer does not have",
        );
    }
    replies
}

pub(super) fn errors(check: &mut Check<'_>, all: &[keys::Error]) -> Vec<(RuleNumber, Option<Slot>)> {
    let mut errors = Vec::new();
    for (index, keys) in all.iter().enumerate() {
        let Some(placed) = check.rule(&format!("/errors/{index}/when"), &keys.when) else { continue };
        let when = check.add(&placed, None);
        let at = format!("/errors/{index}/said");
        let said = keys.said.as_ref().and_then(|said| check.value(&at, said, Some(when)));
        errors.push((when, said));
    }
    errors
}

pub(super) fn ignored(check: &mut Check<'_>, all: &[keys::Ignore]) -> Vec<RuleNumber> {
    let all = all.iter().enumerate();
    all.filter_map(|(index, keys)| {
        let placed = check.rule(&format!("/ignore/{index}/when"), &keys.when)?;
        Some(check.add(&placed, None))
    })
    .collect()
}

/// API Gateway's own errors, and where they say what is wrong.
pub(super) fn gateway(check: &mut Check<'_>) -> Option<(RuleNumber, Slot)> {
    let said = Pointer::parse("/message").ok()?;
    let connection = Pointer::parse("/connectionId").ok()?;
    let rule =
        Rule { values: vec![(said.clone(), Test::Present), (connection, Test::Present)], ..Rule::default() };
    Some((check.compiler.rule(&rule, None), check.compiler.value(&said, None)))
}

pub(super) fn close(
    check: &mut Check<'_>,
    all: &BTreeMap<String, keys::Close>,
) -> BTreeMap<u16, outline::Close> {
    let mut codes = BTreeMap::new();
    for (code, keys) in all {
        let pointer = child("/close", code);
        let (class, retry) = match keys {
            keys::Close::Class(class) => (class, Retry::Policy),
            keys::Close::Told(told) => (&told.class, told.retry),
        };
        if class.is_empty() {
            check.wrong(&pointer, "has no error class", "write e.g. \"unauthorized\"");
        }
        match code.parse().ok().filter(|code| CLOSE_CODES.contains(code)) {
            Some(code) => {
                let retry = match retry {
                    Retry::Policy => outline::Retry::Policy,
                    Retry::No => outline::Retry::No,
                    Retry::AtOnce => outline::Retry::AtOnce,
                };
                codes.insert(code, outline::Close { class: class.clone(), retry });
            }
            None => check.wrong(
                &pointer,
                format!("`{code}` is no close code"),
                "codes are 1000 to 4999, those of an application 4000 to 4999",
            ),
        }
    }
    codes
}
