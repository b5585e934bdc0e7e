//! Where a push has the stamps of its way through the backend.

use std::collections::BTreeSet;

use super::context::{Check, Placed};
use crate::keys::stamp::Stamp as Keys;
use crate::matching::{Compiler, Pointer, Rule, Test, overlap};
use crate::outline::{LAST_HOP, Stamp};
use crate::reading::stamps::Stamps;

/// Checks the stamps of a push that `when` knows and that these functions lead to; what they are called, and what reads them, if there are any.
pub(super) fn stamps(
    check: &mut Check<'_>,
    pointer: &str,
    all: &[Keys],
    when: Option<&Placed>,
    functions: &[String],
) -> (Vec<Stamp>, Option<Stamps>) {
    let mut compiler = Compiler::default();
    let within = when.map(|when| compiler.rule(&when.rule, None));
    let (mut named, mut places) = (Vec::new(), Vec::new());
    let (mut names, mut hops) = (BTreeSet::new(), BTreeSet::from([LAST_HOP.to_owned()]));
    for (index, keys) in all.iter().enumerate() {
        let at = |key: &str| format!("{pointer}/{index}/{key}");
        check.name(&at("name"), &keys.name);
        if !names.insert(&keys.name) {
            let problem = format!("another stamp is called `{}`", keys.name);
            check.wrong(&at("name"), problem, "give it another name");
        }
        let hop = keys.hop();
        if let Some(hop) = &keys.hop {
            check.name(&at("hop"), hop);
        }
        if !hops.insert(hop.clone()) {
            let key = if keys.hop.is_some() { at("hop") } else { at("name") };
            check.wrong(
                &key,
                format!("another hop is called `{hop}`"),
                "name what lies before the stamp otherwise",
            );
        }
        if let Some(function) = keys.function.as_ref().filter(|function| !functions.contains(function)) {
            let problem = format!("`{function}` does none of the operation's work");
            check.wrong(&at("function"), problem, "write one of the operation's `functions`");
        }
        match Pointer::parse(&keys.at) {
            Ok(place) => {
                never_there(check, &at("at"), &keys.at, &place, when);
                places.push((compiler.value(&place, within), keys.unit));
            }
            Err(error) => {
                check.wrong(&at("at"), error.to_string(), "write a JSON Pointer, e.g. \"/trace/stream\"");
            }
        }
        named.push(Stamp {
            name: keys.name.clone(),
            hop,
            resolution_us: keys.unit.resolution_us(),
            function: keys.function.clone().unwrap_or_default(),
        });
    }
    let stamps = (!places.is_empty()).then(|| Stamps { matcher: compiler.finish(), places });
    (named, stamps)
}

/// Tells of a stamp in a place that no push of this kind has.
fn never_there(check: &mut Check<'_>, at: &str, written: &str, place: &Pointer, when: Option<&Placed>) {
    let there = Rule { values: vec![(place.clone(), Test::Present)], ..Rule::default() };
    let both = when.map_or_else(|| there.clone(), |when| when.rule.and(&there));
    if !overlap(&both, &both) {
        let problem = format!("is never there: no message that `when` knows has {written}");
        check.wrong(at, problem, "write a pointer to where the push has it");
    }
}
