//! All rules by which received messages are read, in their order.

use super::answer::Answer;
use super::push::Push;
use super::step::Step;
use crate::matching::{Matcher, RuleNumber, Slot, View};
use crate::protocol::{Meaning, Outcome, Read};
use crate::template::Template;

/// All rules by which received messages are read.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) matcher: Matcher,
    pub(crate) replies: Vec<(RuleNumber, Template)>,
    pub(crate) heartbeat: Vec<RuleNumber>,
    pub(crate) opening: Vec<Step>,
    /// Answers by the number, a field or the text of the request.
    pub(crate) answers: Vec<Answer>,
    pub(crate) pushes: Vec<Push>,
    pub(crate) answers_in_order: Vec<Answer>,
    pub(crate) errors: Vec<(RuleNumber, Option<Slot>)>,
    pub(crate) ignored: Vec<RuleNumber>,
    /// API Gateway's own errors.
    pub(crate) gateway: Option<(RuleNumber, Slot)>,
}

/// A message that is being offered: whether anything in the protocol knows it.
struct Offer<'t> {
    take: &'t mut dyn FnMut(Meaning<'_>) -> bool,
    known: bool,
}

impl Offer<'_> {
    fn is_taken(&mut self, meaning: Meaning<'_>) -> bool {
        self.known = true;
        (self.take)(meaning)
    }
}

impl Rules {
    /// Offers the meanings of a message in order until one is taken. `now_ms` is asked for where a reply is made.
    pub(crate) fn read(
        &self,
        message: &str,
        now_ms: impl Fn() -> u64,
        take: &mut dyn FnMut(Meaning<'_>) -> bool,
    ) -> Read {
        let view = self.matcher.view(message);
        let mut offer = Offer { take, known: false };
        if self.is_taken(&view, now_ms, &mut offer) {
            Read::Taken
        } else if offer.known {
            Read::Known
        } else {
            Read::Unclassified
        }
    }

    fn is_taken(&self, view: &View<'_>, now_ms: impl Fn() -> u64, offer: &mut Offer<'_>) -> bool {
        for (when, answer) in &self.replies {
            if view.holds(*when)
                && let Ok(reply) = answer.reply(view, now_ms())
                && offer.is_taken(Meaning::Reply(reply))
            {
                return true;
            }
        }
        for expected in &self.heartbeat {
            if view.holds(*expected) && offer.is_taken(Meaning::HeartbeatAnswer { id: view.id(*expected) }) {
                return true;
            }
        }
        for step in &self.opening {
            if step.of(view).is_some_and(|opened| offer.is_taken(opened)) {
                return true;
            }
        }
        let mut pending = false;
        for answer in &self.answers {
            let Some(meaning) = answer.of(view) else { continue };
            pending |= matches!(meaning, Meaning::Answer { outcome: Outcome::Pending, .. });
            if offer.is_taken(meaning) {
                return true;
            }
        }
        for push in &self.pushes {
            if push.of(view).is_some_and(|push| offer.is_taken(push)) {
                return true;
            }
        }
        for answer in &self.answers_in_order {
            if answer.of(view).is_some_and(|answer| offer.is_taken(answer)) {
                return true;
            }
        }
        for (when, said) in &self.errors {
            if view.holds(*when) {
                let said = said.and_then(|said| view.text(said)).unwrap_or_else(|| view.message().into());
                if offer.is_taken(Meaning::Error { said }) {
                    return true;
                }
            }
        }
        // What does not end a request is of no interest once that has ended.
        if (pending || self.ignored.iter().any(|rule| view.holds(*rule))) && offer.is_taken(Meaning::Ignored)
        {
            return true;
        }
        self.gateway.is_some_and(|(when, said)| {
            view.holds(when) && view.text(said).is_some_and(|said| offer.is_taken(Meaning::Error { said }))
        })
    }
}
