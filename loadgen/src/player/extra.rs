//! The headers that a scenario adds to handshakes and REST requests, their values fetched from where they are kept.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use scenarios::plan::way::{self, Header, Way};

use super::error::EndpointError;
use crate::auth::Secrets;
use crate::http_client::USER_AGENT;

/// Headers with their values. Our name goes with them unless they give another.
pub(super) struct Extra {
    headers: Vec<(String, String)>,
    /// Values that came from outside.
    pub(super) secrets: Arc<Secrets>,
}

impl Extra {
    /// Fetches the values.
    pub(super) fn fetch(way: &Way) -> Result<Self, EndpointError> {
        let (mut headers, mut secrets) = (Vec::new(), Secrets::default());
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
                secrets.add(value);
            }
            headers.push((name.clone(), value.to_owned()));
        }
        Ok(Self { headers, secrets: Arc::new(secrets) })
    }

    /// As lines of a request's head, with those of the protocol that are not among them.
    pub(super) fn lines<'h>(&'h self, of_protocol: impl Iterator<Item = &'h (String, String)>) -> String {
        let further = of_protocol.filter(|(name, _)| !self.has(name));
        let headers: Vec<_> = self.headers.iter().chain(further).collect();
        let agent = if headers.iter().any(|(name, _)| is_agent(name)) {
            String::new()
        } else {
            format!("User-Agent: {USER_AGENT}\r\n")
        };
        headers.iter().fold(agent, |lines, (name, value)| lines + name + ": " + value + "\r\n")
    }

    /// As headers of every request of a client.
    pub(super) fn map(&self) -> HeaderMap {
        let parsed = self.headers.iter().filter_map(|(name, value)| {
            let mut value = value.parse::<HeaderValue>().ok()?;
            value.set_sensitive(true);
            Some((name.parse::<HeaderName>().ok()?, value))
        });
        let mut map: HeaderMap = parsed.collect();
        map.entry(http::header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        map
    }

    fn has(&self, wanted: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    }
}

fn is_agent(name: &str) -> bool {
    name.eq_ignore_ascii_case("user-agent")
}
