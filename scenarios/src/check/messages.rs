//! What a scenario says of an operation's message: how many players it names, how long its text is, and what the protocol's
//! parameters are set to.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use documents::child;
use documents::form::nearest;
use protocol::Protocol;
use protocol::protocol::Sending;
use serde_json::Value;

use super::asked::Asked;
use super::context::Check;
use crate::keys::operations::OperationKeys;
use crate::keys::scenario::Scenario;
use crate::plan::MAX_MESSAGE_BYTES;
use crate::plan::auth::PlayerIds;
use crate::plan::columns::Feeders;
use crate::plan::example::Example;
use crate::plan::parameter::Parameter;
use crate::plan::rooms::Rooms;

/// Length of a text, by default.
const SMALL: u32 = 64;

/// What messages are filled with.
pub(super) struct Surroundings<'p> {
    /// The players' ids.
    pub(super) ids: &'p PlayerIds,
    /// Their rooms.
    pub(super) rooms: &'p Rooms,
    /// Values from files.
    pub(super) feeders: &'p Feeders,
}

/// The shape of an operation's messages.
pub(super) struct Shape {
    /// How many players one names.
    pub(super) fan_out: RangeInclusive<u32>,
    /// Length of its text.
    pub(super) size: u32,
    /// What its parameters are set to.
    pub(super) parameters: BTreeMap<String, Parameter>,
}

/// The shape of an operation's messages; a wrong value is reported and replaced by a sound one.
pub(super) fn shape(
    check: &mut Check<'_>,
    scenario: &Scenario,
    protocol: &dyn Protocol,
    around: &Surroundings<'_>,
    asked: &Asked<'_>,
) -> Shape {
    only_what_it_has(check, asked);
    let shape = Shape {
        fan_out: fan_out(check, scenario, asked),
        size: if asked.outline.text { asked.keys.size.unwrap_or(SMALL) } else { 0 },
        parameters: parameters(check, around.feeders, asked),
    };
    if !asked.outline.poll {
        let message = |fan_out: u32| {
            let longest = around.ids.longest();
            let example = Example {
                player: "p".repeat(longest),
                room: around.rooms.name(around.rooms.count() - 1),
                recipients: (0..fan_out).map(|number| format!("{number:0>longest$}")).collect(),
                text: "x".repeat(shape.size as usize),
                traced: scenario.trace,
                parameters: &shape.parameters,
                feeders: around.feeders,
            };
            protocol.write(Sending::Operation(asked.number), &example).unwrap_or_default()
        };
        let most = *shape.fan_out.end();
        fits(check, asked, most, message(most).len() as u64);
        if most > 1 && message(1).len() == message(2).len() {
            check.wrong(
                &format!("{}/{}", asked.table(), most_key(&asked.keys)),
                "has no meaning here: the message names one player",
                "take it out",
            );
        }
    }
    shape
}

/// Tells of keys that say something about what the operation does not have.
fn only_what_it_has(check: &mut Check<'_>, asked: &Asked<'_>) {
    let (outline, keys) = (asked.outline, &*asked.keys);
    let answered = outline.answered || outline.poll;
    for (key, given, allowed, why) in [
        ("fan_out", keys.fan_out.is_some(), outline.recipients, "the message names no players"),
        ("fan_out_max", keys.fan_out_max.is_some(), outline.recipients, "the message names no players"),
        ("size", keys.size.is_some(), outline.text, "the message holds no text"),
        ("every", keys.every.is_some(), outline.poll, "it is not polled"),
        ("timeout", keys.timeout.is_some(), answered, "it has no answer"),
        ("push_timeout", keys.push_timeout.is_some(), outline.push.is_some(), "it leads to no push"),
    ] {
        if given && !allowed {
            check.wrong(
                &format!("{}/{key}", asked.table()),
                format!("has no meaning here: {why}"),
                "take it out",
            );
        }
    }
}

fn fan_out(check: &mut Check<'_>, scenario: &Scenario, asked: &Asked<'_>) -> RangeInclusive<u32> {
    let keys = &*asked.keys;
    if !asked.outline.recipients {
        return 1..=1;
    }
    let table = asked.table();
    let least = keys.fan_out.unwrap_or(1);
    let most = keys.fan_out_max.unwrap_or(least);
    if most < least {
        check.wrong_beside(
            &format!("{table}/fan_out_max"),
            &[&format!("{table}/fan_out")],
            format!("{most} is below fan_out, {least}"),
            "make fan_out_max at least fan_out, or leave it out",
        );
    }
    if most > scenario.players {
        check.wrong_beside(
            &format!("{table}/{}", most_key(keys)),
            &["/players"],
            format!("{most} recipients are more than the {} players", scenario.players),
            "lower it, or raise players",
        );
    }
    least..=most.max(least)
}

/// The key that says how many players a message names at most.
const fn most_key(keys: &OperationKeys) -> &'static str {
    if keys.fan_out_max.is_some() { "fan_out_max" } else { "fan_out" }
}

/// What the protocol's parameters of an operation are set to, all of them.
fn parameters(check: &mut Check<'_>, feeders: &Feeders, asked: &Asked<'_>) -> BTreeMap<String, Parameter> {
    let mut parameters = defaults(asked);
    for (name, value) in &asked.keys.parameters {
        let pointer = child(&asked.table(), name);
        if !parameters.contains_key(name) {
            let known = known_keys(asked);
            let remedy = nearest(name, &known).map_or_else(
                || format!("known keys here: {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            check.wrong(&pointer, "unknown key", &remedy);
            continue;
        }
        let usual = &asked.outline.parameters[name];
        let parameter = match value {
            Value::String(text) => match Parameter::parse(text, feeders) {
                Ok(parameter) => parameter,
                Err(problem) => {
                    check.wrong(
                        &pointer,
                        problem,
                        "write a column's name, e.g. \"${name}\"; `$${` stands for `${`",
                    );
                    continue;
                }
            },
            other => plain(other),
        };
        if parameter.is_constant() && !may_stand_for(value, usual) {
            let kind = if usual.is_number() { "a number" } else { "true or false" };
            check.wrong(&pointer, format!("must be {kind}, found {value}"), &format!("write e.g. {usual}"));
            continue;
        }
        parameters.insert(name.clone(), parameter);
    }
    parameters
}

/// Whether a value may stand where the protocol has this one: a number for a number, a switch for a switch.
fn may_stand_for(value: &Value, usual: &Value) -> bool {
    (value.is_number() || !usual.is_number()) && (value.is_boolean() || !usual.is_boolean())
}

/// What an operation's parameters are where the scenario sets none.
fn defaults(asked: &Asked<'_>) -> BTreeMap<String, Parameter> {
    asked.outline.parameters.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
}

fn plain(value: &Value) -> Parameter {
    match value {
        Value::String(text) => Parameter::plain(text),
        other => Parameter::plain(other.to_string()),
    }
}

/// What may stand in an operation's table.
fn known_keys(asked: &Asked<'_>) -> Vec<String> {
    let schema = schemars::schema_for!(OperationKeys).to_value();
    let own =
        schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.clone());
    asked.outline.parameters.keys().cloned().chain(own).collect()
}

/// A message must not be longer than API Gateway takes.
fn fits(check: &mut Check<'_>, asked: &Asked<'_>, recipients: u32, bytes: u64) {
    if bytes <= MAX_MESSAGE_BYTES {
        return;
    }
    let to = if asked.outline.recipients { format!(" to {recipients} recipients") } else { String::new() };
    check.wrong(
        &asked.table(),
        format!(
            "a message{to} would have about {bytes} bytes, more than the {MAX_MESSAGE_BYTES} that API Gateway takes"
        ),
        match (asked.outline.recipients, asked.outline.text) {
            (true, true) => "lower fan_out or size",
            (true, false) => "lower fan_out",
            (false, true) => "lower size",
            (false, false) => "shorten it in the protocol's file",
        },
    );
}
