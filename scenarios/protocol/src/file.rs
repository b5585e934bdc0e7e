//! A protocol that a file describes.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::outline::Outline;
use crate::protocol::{
    Asked, HandshakeParts, Meaning, Missing, Polled, Protocol, Read, RestRequest, Sending, Values,
};
use crate::reading::poll::Poll;
use crate::reading::rules::Rules;
use crate::reading::stamps::Stamps;
use crate::template::Template;

/// A protocol that a file describes.
#[derive(Debug)]
pub struct FileProtocol {
    pub(crate) outline: Outline,
    pub(crate) handshake: Handshake,
    /// The message of each operation, with what an answer by field holds.
    pub(crate) operations: Vec<Messages>,
    /// The message of each step.
    pub(crate) steps: Vec<Option<Template>>,
    pub(crate) heartbeat: Option<Template>,
    pub(crate) rules: Rules,
    /// The stamps of each push, where it has any.
    pub(crate) stamps: Vec<Option<Stamps>>,
}

/// What a handshake is made of.
#[derive(Debug, Default)]
pub(crate) struct Handshake {
    pub(crate) path: Option<Template>,
    pub(crate) query: Vec<(String, Template)>,
    pub(crate) headers: Vec<(String, Template)>,
    pub(crate) subprotocols: Vec<Template>,
}

/// What an operation sends.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    pub(crate) send: Option<Template>,
    /// The message that asks for stamps as well.
    pub(crate) send_traced: Option<Template>,
    /// What the answer holds where it is matched by a field.
    pub(crate) field: Option<Template>,
    pub(crate) poll: Option<Polling>,
}

impl Messages {
    /// The message that is sent.
    fn message(&self, traced: bool) -> Option<&Template> {
        self.send_traced.as_ref().filter(|_| traced).or(self.send.as_ref())
    }
}

/// The requests of an operation that is polled over REST, and how their answers are read.
#[derive(Debug)]
pub(crate) struct Polling {
    pub(crate) start: (&'static str, Template),
    pub(crate) again: (&'static str, Template),
    pub(crate) answers: Poll,
}

impl Protocol for FileProtocol {
    fn outline(&self) -> &Outline {
        &self.outline
    }

    fn write(&self, what: Sending, values: &dyn Values) -> Result<String, Missing> {
        let template = match what {
            Sending::Operation(number) => {
                self.operations.get(number).and_then(|all| all.message(values.traced()))
            }
            Sending::Step(number) => self.steps.get(number).and_then(Option::as_ref),
            Sending::Heartbeat => self.heartbeat.as_ref(),
        };
        template.ok_or_else(|| Missing { name: "send".into() })?.render(values)
    }

    fn field(&self, operation: usize, values: &dyn Values) -> Option<String> {
        self.operations.get(operation)?.field.as_ref()?.render(values).ok()
    }

    fn handshake(&self, values: &dyn Values) -> Result<HandshakeParts, Missing> {
        let Handshake { path, query, headers, subprotocols } = &self.handshake;
        let named = |parts: &[(String, Template)]| -> Result<Vec<_>, Missing> {
            parts.iter().map(|(name, value)| Ok((name.clone(), value.render(values)?))).collect()
        };
        Ok(HandshakeParts {
            path: path.as_ref().map(|path| path.render(values)).transpose()?,
            query: named(query)?,
            headers: named(headers)?,
            subprotocols: subprotocols.iter().map(|one| one.render(values)).collect::<Result<_, _>>()?,
        })
    }

    fn ask(
        &self,
        operation: usize,
        asked: Asked,
        values: &dyn Values,
    ) -> Result<Option<RestRequest>, Missing> {
        let Some(polling) = self.operations.get(operation).and_then(|all| all.poll.as_ref()) else {
            return Ok(None);
        };
        let (method, path) = match asked {
            Asked::First => &polling.start,
            Asked::Again => &polling.again,
        };
        Ok(Some(RestRequest { method, path: path.render(values)? }))
    }

    fn read_polled<'f>(&'f self, operation: usize, body: &'f str) -> Option<Polled<'f>> {
        self.operations.get(operation)?.poll.as_ref()?.answers.of(body)
    }

    fn stamps(&self, push: usize, message: &str) -> Option<Vec<i64>> {
        self.stamps.get(push)?.as_ref()?.of(message)
    }

    fn read(&self, message: &str, take: &mut dyn FnMut(Meaning<'_>) -> bool) -> Read {
        self.rules.read(message, now_ms, take)
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
