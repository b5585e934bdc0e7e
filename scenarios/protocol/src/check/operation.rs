//! `[operations.NAME]`: what is sent, what answers it, what it leads to.

use std::collections::BTreeMap;

use documents::child;

use super::ambiguity::Shape;
use super::answer::Asked;
use super::context::Check;
use super::kept::answers;
use super::names::{OF_AN_OPERATION, Sent};
use super::push::{Cause, names_recipients};
use super::work::work;
use super::{answer, poll, push};
use crate::file::Messages;
use crate::keys::operation as keys;
use crate::keys::operation::By;
use crate::outline;
use crate::reading::answer::{Answer, To};
use crate::reading::push::Push;
use crate::reading::stamps::Stamps;
use crate::template::{Name, Sample, SendNames, Template, WORDS};

/// All operations.
#[derive(Default)]
pub(super) struct Operations {
    pub(super) outlines: Vec<outline::Operation>,
    pub(super) pushes: Vec<outline::Push>,
    pub(super) messages: Vec<Messages>,
    /// Answers by number, field or text.
    pub(super) answers: Vec<Answer>,
    pub(super) answers_in_order: Vec<Answer>,
    pub(super) read_pushes: Vec<Push>,
    /// The stamps of each push.
    pub(super) stamps: Vec<Option<Stamps>>,
    /// What is known by its shape alone.
    pub(super) shapes: Vec<Shape>,
    /// Names of the pushes, each with its pointer.
    push_names: Vec<(String, String)>,
}

pub(super) fn operations(check: &mut Check<'_>, all: &BTreeMap<String, keys::Operation>) -> Operations {
    let mut operations = Operations::default();
    for name in check.findings.document().keys_in_order("/operations") {
        if let Some(keys) = all.get(name) {
            operations.add(check, name, keys);
        }
    }
    if all.is_empty() {
        let remedy = "write e.g. [operations.send_message]";
        check.wrong("/operations", "players can do nothing", remedy);
    }
    push::names(check, &operations.push_names);
    operations
}

impl Operations {
    fn add(&mut self, check: &mut Check<'_>, name: &str, keys: &keys::Operation) {
        let number = self.outlines.len();
        let pointer = child("/operations", name);
        check.name(&pointer, name);
        check.parameters(&format!("{pointer}/parameters"), &keys.parameters);
        ways(check, &pointer, keys);
        let parameters: Vec<&str> = keys.parameters.keys().map(String::as_str).collect();
        let written = |check: &mut Check<'_>, key: &'static str, text: Option<&String>| {
            text.and_then(|text| message(check, &pointer, key, text, keys))
        };
        let send = written(check, "send", keys.send.as_ref());
        let send_traced = written(check, "send_traced", keys.send_traced.as_ref());
        traced(check, &pointer, keys, send.as_ref(), send_traced.as_ref());
        let mut messages = Messages::default();
        let asked = Asked { number, send: send.as_ref(), parameters: parameters.clone() };
        let all = answers(&pointer, keys);
        for (at, keys) in &all {
            let Some(answer::Checked { answer, shapes, field }) = answer::answer(check, at, keys, &asked)
            else {
                continue;
            };
            if field.is_some() && messages.field.is_some() {
                let remedy = "find its request by one field";
                check.wrong(at, "another answer is found by a field, too", remedy);
            }
            messages.field = messages.field.or(field);
            self.shapes.extend(shapes.into_iter().map(|placed| Shape { placed, answers: Some(number) }));
            match answer.to {
                To::Oldest => self.answers_in_order.push(answer),
                _ => self.answers.push(answer),
            }
        }
        let kept = all.iter().flat_map(|(_, answer)| answer.keep.keys()).collect();
        let cause = Cause { number, name, send: send.as_ref(), kept, functions: &keys.functions };
        let at = format!("{pointer}/push");
        let push = keys.push.as_ref().and_then(|push| self.push(check, &at, &cause, push));
        messages.poll = keys
            .poll
            .as_ref()
            .and_then(|poll| poll::poll(check, &format!("{pointer}/poll"), poll, &parameters));
        let asks = |name: &Name| send.as_ref().is_some_and(|send| send.asks_for(name));
        self.outlines.push(outline::Operation {
            name: name.to_owned(),
            description: keys.description.clone(),
            answered: keys.poll.is_some() || all.iter().any(|(_, answer)| answer.by != By::None),
            answer: keys.poll.as_ref().map_or_else(
                || all.iter().filter_map(|(_, answer)| answer.words()).collect::<Vec<_>>().join(", or "),
                keys::Poll::words,
            ),
            push,
            text: asks(&Name::Text),
            recipients: send.as_ref().is_some_and(names_recipients),
            parameters: keys.parameters.clone(),
            resources: outline::Resources {
                functions: keys.functions.clone(),
                tables: keys.tables.clone(),
                queues: keys.queues.clone(),
            },
            work: work(&keys.work),
            poll: keys.poll.is_some(),
            bytes: send.as_ref().map_or(0, Template::fixed_bytes),
        });
        messages.send = send;
        messages.send_traced = send_traced;
        self.messages.push(messages);
    }

    /// The number of its push.
    fn push(
        &mut self,
        check: &mut Check<'_>,
        pointer: &str,
        cause: &Cause<'_>,
        keys: &keys::Push,
    ) -> Option<usize> {
        let (at, name) = match &keys.name {
            Some(name) => (format!("{pointer}/name"), name.as_str()),
            None => (pointer.to_owned(), cause.name),
        };
        self.push_names.push((at, name.to_owned()));
        let push::Checked { outline, push, stamps, shape } =
            push::push(check, pointer, keys, cause, self.pushes.len())?;
        self.shapes.push(Shape { placed: shape, answers: None });
        self.pushes.push(outline);
        self.read_pushes.push(push);
        self.stamps.push(stamps);
        Some(self.pushes.len() - 1)
    }
}

/// What is sent and what answers it: one way of the several that there are.
fn ways(check: &mut Check<'_>, pointer: &str, keys: &keys::Operation) {
    let ways = [
        ("answer", keys.answer.is_some()),
        ("answers", keys.answers.is_some()),
        ("poll", keys.poll.is_some()),
    ];
    let given: Vec<&str> = ways.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
    match given.as_slice() {
        [] => check.wrong(
            pointer,
            "does not say what answers it",
            "write answer = { by = \"…\" }, or { by = \"none\" } if nothing does",
        ),
        [_] => {}
        [_, more, ..] => check.wrong(
            &format!("{pointer}/{more}"),
            format!("is one of {} that exclude each other", given.join(", ")),
            "keep one of them",
        ),
    }
    match (&keys.send, &keys.poll) {
        (None, None) => check.wrong(pointer, "sends nothing", "write its message: send = '…'"),
        (Some(_), Some(_)) => check.wrong(
            &format!("{pointer}/send"),
            "is not sent: the operation is polled over REST",
            "leave out `send` or `poll`",
        ),
        _ => {}
    }
    if keys.poll.is_some() && keys.push.is_some() {
        let remedy = "leave it out: what is polled is awaited over REST";
        check.wrong(&format!("{pointer}/push"), "is not awaited", remedy);
    }
    let several = keys.answers.iter().flatten().count();
    if keys.answers.is_some() && several == 0 {
        check.wrong(
            &format!("{pointer}/answers"),
            "holds no answer",
            "write one, or answer = { by = \"none\" }",
        );
    }
    for (index, answer) in keys.answers.iter().flatten().enumerate() {
        if answer.by == By::None {
            check.wrong(
                &format!("{pointer}/answers/{index}/by"),
                "there is either an answer or none",
                "leave it out, or write answer = { by = \"none\" } alone",
            );
        }
    }
}

/// What asks for stamps must be the same request, and lead to a push that has them.
fn traced(
    check: &mut Check<'_>,
    pointer: &str,
    keys: &keys::Operation,
    send: Option<&Template>,
    send_traced: Option<&Template>,
) {
    let at = format!("{pointer}/send_traced");
    if keys.send_traced.is_none() {
        return;
    }
    if keys.push.as_ref().is_none_or(|push| push.stamps.is_empty()) {
        let remedy = "say in `push.stamps` where they stand in its push, or leave it out";
        check.wrong(&at, "asks for stamps that nothing reads", remedy);
    }
    let (Some(send), Some(send_traced)) = (send, send_traced) else { return };
    let differs = |one: &Template, other: &Template| one.names().any(|name| !other.asks_for(name));
    if differs(send, send_traced) || differs(send_traced, send) {
        let problem = "holds other values than `send`, so that it is another request";
        check.wrong(&at, problem, "write the message of `send`, with what asks for stamps in it");
    }
}

/// An operation's message, which must parse with the parameters' defaults if it looks like JSON.
fn message(
    check: &mut Check<'_>,
    pointer: &str,
    key: &str,
    text: &str,
    keys: &keys::Operation,
) -> Option<Template> {
    let at = format!("{pointer}/{key}");
    let kept = check.kept.clone();
    let names = SendNames { kept: &kept, parameters: keys.parameters.keys().map(String::as_str).collect() };
    let template = check.template(&at, text, &mut Sent { words: OF_AN_OPERATION, names })?;
    let sample = Sample { kept: &kept, parameters: keys.parameters.clone() };
    let filled = template.render(&sample).unwrap_or_default();
    if filled.starts_with(['{', '['])
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&filled)
    {
        check.wrong(
            &at,
            format!("is no JSON once it is filled in: {error}"),
            format!("it would be: {filled}"),
        );
    }
    // A name that is something else has been told of.
    let is_taken = |name: &String| kept.contains(name) || WORDS.iter().any(|(word, _)| word == name);
    for name in keys.parameters.keys().filter(|name| !is_taken(name)) {
        if !template.asks_for(&Name::Parameter(name.clone())) {
            let problem = format!("`{key}` does not hold `${{{name}}}`");
            check.wrong(
                &child(&format!("{pointer}/parameters"), name),
                problem,
                "put it there, or leave it out",
            );
        }
    }
    Some(template)
}
