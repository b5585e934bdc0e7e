//! The copy of connects and answers that goose's own metrics get.

use std::time::Duration;

use scenarios::plan::operation::Operation;

use super::class::Class;
use super::classes;
use super::event::Event;

/// One connect or answer.
#[derive(Debug)]
pub struct GooseSample {
    /// The operation.
    pub operation: Operation,
    /// From the intended instant.
    pub response: Duration,
    /// The error class, if it failed.
    pub error: Option<Class>,
}

impl GooseSample {
    /// The sample of an event that ends an operation.
    #[inline]
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        let (operation, response, error) = match *event {
            Event::Completed { operation, response, .. } => (operation, response, None),
            Event::Failed { operation, response, class, .. } => (operation, response, Some(class)),
            Event::TimedOut { operation, response, .. } => (operation, response, Some(&classes::TIMEOUT)),
            _ => return None,
        };
        Some(Self { operation, response: Duration::from_micros(response), error: error.cloned() })
    }
}
