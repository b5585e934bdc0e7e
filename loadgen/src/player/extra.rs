//! The headers that a scenario adds to handshakes and REST requests, their values fetched from where they are kept.

use http::{HeaderMap, HeaderName, HeaderValue};
use scenarios::plan::way::{self, Header, Way};

use super::error::EndpointError;
use crate::auth::Secrets;
use crate::http_client::USER_AGENT;

/// Headers with their values.
pub(super) struct Extra {
    headers: Vec<(String, String)>,
    /// Values that came from outside.
    pub(super) secrets: Secrets,
}

impl Extra {
    /// Fetches the values.
    pub(super) fn fetch(way: &Way) -> Result<Self, EndpointError> {
        let mut extra = Self { headers: Vec::new(), secrets: Secrets::default() };
        for Header { name, value } in &way.headers {
            let wrong = |problem: String| EndpointError::Header { name: name.clone(), problem };
            let is_secret = !matches!(value, way::HeaderValue::Written(_));
            let value = match value {
                way::HeaderValue::Written(text) => text.clone(),
                way::HeaderValue::Env(variable) => {
                    let found = std::env::var(variable);
                    found
                        .map_err(|_| wrong(format!("there is no variable `{variable}` in the environment")))?
                }
                way::HeaderValue::File(file) => {
                    let read = std::fs::read_to_string(file);
                    read.map_err(|error| wrong(format!("{} cannot be read: {error}", file.display())))?
                }
            };
            let value = value.trim();
            // The message says what is wrong without the secret itself.
            if value.is_empty() || value.parse::<HeaderValue>().is_err() {
                return Err(wrong("its value is empty, or has letters that a header cannot have".into()));
            }
            if is_secret {
                extra.secrets.add(value);
            }
            extra.headers.push((name.clone(), value.to_owned()));
        }
        if !extra.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
            extra.headers.insert(0, ("User-Agent".into(), USER_AGENT.into()));
        }
        Ok(extra)
    }

    /// As lines of a request's head.
    pub(super) fn lines(&self) -> String {
        self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
    }

    /// As headers of every request of a client.
    pub(super) fn map(&self) -> HeaderMap {
        let parsed = self.headers.iter().filter_map(|(name, value)| {
            let mut value = value.parse::<HeaderValue>().ok()?;
            value.set_sensitive(true);
            Some((name.parse::<HeaderName>().ok()?, value))
        });
        parsed.collect()
    }
}
