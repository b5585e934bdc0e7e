//! Messages that two rules would take: which one they are must not depend on what happens to be awaited.

use super::context::{Check, Placed};
use crate::matching::{Rule, Test, overlap};

/// A message that is known by its shape alone: a push, or an answer in order.
pub(super) struct Shape {
    pub(super) placed: Placed,
    /// The operation whose answer it is; `None`: a push.
    pub(super) answers: Option<usize>,
}

/// Tells of shapes that may be the same message.
pub(super) fn check(check: &mut Check<'_>, shapes: &[Shape]) {
    for (index, later) in shapes.iter().enumerate() {
        let alike = |earlier: &&Shape| {
            let one_operation = later.answers.is_some() && later.answers == earlier.answers;
            !one_operation && are_alike(&earlier.placed.rule, &later.placed.rule)
        };
        if let Some(earlier) = shapes[..index].iter().find(alike) {
            let document = check.findings.document();
            let other = document.mistake(&earlier.placed.pointer, "", "");
            let remedy = "let each ask for what the other never has, e.g. { \"/type\" = \"…\" } or { \"/ticket\" = false }";
            let problem = format!("may be the same message as `{}` ({})", other.key, other.place);
            check.wrong(&later.placed.pointer, problem, remedy);
        }
    }
}

/// Whether one message may be both. Two that ask for different keys are not alike, though a message might have all.
fn are_alike(one: &Rule, other: &Rule) -> bool {
    overlap(one, other) && (asks_no_more(one, other) || asks_no_more(other, one))
}

/// Whether every place that the first asks for is asked for by the second, too.
fn asks_no_more(first: &Rule, second: &Rule) -> bool {
    let present = |rule: &'_ Rule| {
        let asked = rule.values.iter().filter(|(_, test)| *test != Test::Absent);
        asked.map(|(pointer, _)| pointer.clone()).collect::<Vec<_>>()
    };
    let second = present(second);
    present(first).iter().all(|pointer| second.contains(pointer))
}
