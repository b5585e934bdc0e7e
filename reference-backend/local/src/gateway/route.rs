//! Route selection: `$request.body.route`, compared exactly, else `$default`.

use std::borrow::Cow;

use reference_backend::function::Function;
use serde::Deserialize;
use strum::{EnumString, IntoStaticStr};

/// A route that a message can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "camelCase")]
pub enum Route {
    /// `sendMessage`
    SendMessage,
    /// `sessionPlacementRequest`
    SessionPlacementRequest,
    /// `$default`: everything else, be it JSON or not.
    #[strum(serialize = "$default")]
    Default,
}

impl Route {
    /// Every route.
    pub const ALL: [Self; 3] = [Self::SendMessage, Self::SessionPlacementRequest, Self::Default];

    /// The route key.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.into()
    }

    /// The Lambda behind it.
    #[must_use]
    pub const fn function(self) -> Function {
        match self {
            Self::SendMessage => Function::SendMessage,
            Self::SessionPlacementRequest => Function::SessionPlacementRequest,
            Self::Default => Function::Default,
        }
    }
}

/// The route of a message.
#[must_use]
pub fn select(body: &str) -> Route {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        route: Cow<'a, str>,
    }
    // The path is that of an object's member; serde alone would also read the first element of an array.
    if !body.trim_ascii_start().starts_with('{') {
        return Route::Default;
    }
    let message = serde_json::from_str::<Message<'_>>(body).ok();
    message.and_then(|message| message.route.parse().ok()).unwrap_or(Route::Default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_exact_name_in_an_object_selects_a_route() {
        assert_eq!(select(r#"{"route":"sendMessage","body":{"route":1}}"#), Route::SendMessage);
        assert_eq!(
            select(r#" {"body":[], "route":"session\u0050lacementRequest"}"#),
            Route::SessionPlacementRequest
        );
        for other in [
            "",
            "hello",
            "{}",
            "[\"sendMessage\"]",
            r#""sendMessage""#,
            r#"{"route":"sendmessage"}"#,
            r#"{"route":1}"#,
            r#"{"route":null}"#,
            r#"{"route":"$connect"}"#,
            r#"{"route":"sendMessage""#,
            r#"{"Route":"sendMessage"}"#,
        ] {
            assert_eq!(select(other), Route::Default, "{other}");
        }
    }
}
