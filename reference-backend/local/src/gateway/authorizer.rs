//! The REQUEST authorizer: invoked before a socket opens and before each REST request, never cached.

use std::sync::Arc;

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerResponse;
use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use axum::http::{StatusCode, request};
use bytes::Bytes;
use reference_backend::function::Function;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::iam::Rejection;
use crate::lambda::{Invoke, InvokeError};

/// Identity source: where a request has its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentitySource {
    /// `route.request.header.NAME`
    Header(&'static str),
    /// `route.request.querystring.NAME`
    Query(&'static str),
}

/// Invokes the authorizer's Lambda.
pub struct Authorizer {
    /// One of them must be present; AWS requires all that are listed, so a deployment lists one.
    sources: &'static [IdentitySource],
    lambda: Arc<dyn Invoke>,
}

/// Why a request is denied. The client gets the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// No credentials, or the Lambda said `Unauthorized`.
    #[error("Unauthorized")]
    Unauthorized,
    /// The policy denies, or does not cover the method.
    #[error("Forbidden")]
    Forbidden,
    /// The Lambda failed, or did not answer with a policy.
    #[error("Internal server error")]
    Failed,
    /// The signature is missing, or not accepted.
    #[error(transparent)]
    Signature(#[from] Rejection),
}

impl Denial {
    /// The HTTP status that tells the client.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::Signature(_) => StatusCode::FORBIDDEN,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The same as AWS's SDKs read it (`x-amzn-ErrorType`).
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::Unauthorized => "UnauthorizedException",
            Self::Forbidden => "AccessDeniedException",
            Self::Failed => "InternalServerErrorException",
            Self::Signature(rejection) => rejection.error_type(),
        }
    }
}

impl Authorizer {
    /// An authorizer that looks for credentials in `sources`.
    #[must_use]
    pub fn new(sources: &'static [IdentitySource], lambda: Arc<dyn Invoke>) -> Self {
        Self { sources, lambda }
    }

    /// Whether the request carries credentials at all; without them the Lambda is not called.
    #[must_use]
    pub fn sees_credentials(&self, head: &request::Parts) -> bool {
        self.sources.iter().any(|source| match source {
            IdentitySource::Header(name) => head.headers.get(*name).is_some_and(|value| !value.is_empty()),
            IdentitySource::Query(name) => {
                form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
                    .any(|(key, value)| key == *name && !value.is_empty())
            }
        })
    }

    /// Lets the Lambda decide about `arn`; the answer is what later events carry as `requestContext.authorizer`.
    ///
    /// # Errors
    /// [`Denial`], by the rules of API Gateway.
    pub async fn decide(&self, event: Bytes, arn: &str) -> Result<Box<RawValue>, Denial> {
        let answer = match self.lambda.invoke(Function::Authorizer, event).await {
            Ok(answer) => answer,
            Err(InvokeError::Function { message, .. }) if message == "Unauthorized" => {
                return Err(Denial::Unauthorized);
            }
            Err(error) => {
                tracing::warn!(%error, "the authorizer failed");
                return Err(Denial::Failed);
            }
        };
        let answer: ApiGatewayCustomAuthorizerResponse =
            serde_json::from_slice(&answer).map_err(|error| {
                tracing::warn!(%error, "the authorizer's answer is not a policy");
                Denial::Failed
            })?;
        if !allows(&answer.policy_document.statement, arn) {
            return Err(Denial::Forbidden);
        }
        context(answer)
    }
}

/// An explicit denial wins; without a matching statement nothing is allowed.
fn allows(statements: &[IamPolicyStatement], arn: &str) -> bool {
    let effects = |effect| {
        statements.iter().any(|statement| {
            statement.effect == effect
                && statement.action.iter().any(|action| covers(action, "execute-api:Invoke"))
                && statement.resource.iter().any(|resource| covers(resource, arn))
        })
    };
    effects(IamPolicyEffect::Allow) && !effects(IamPolicyEffect::Deny)
}

/// IAM's wildcards: `*` stands for any characters, `?` for one.
///
/// Not recursive, because clients control the text. After a mismatch only the last `*` takes one character more; earlier
/// ones need not be tried again.
fn covers(pattern: &str, text: &str) -> bool {
    let (mut wanted, mut left) = (pattern.chars(), text.chars());
    let mut last_star = None;
    loop {
        let here = left.clone();
        match (wanted.next(), left.next()) {
            (Some('*'), _) => {
                last_star = Some((wanted.clone(), here.clone()));
                left = here;
            }
            (Some(character), Some(found)) if character == '?' || character == found => {}
            (None, None) => return true,
            _ => {
                let Some((pattern, mut taken)) = last_star.take() else { return false };
                if taken.next().is_none() {
                    return false;
                }
                wanted = pattern.clone();
                left = taken.clone();
                last_star = Some((pattern, taken));
            }
        }
    }
}

/// `principalId` and the flat context, its values turned into strings; a nested value is an error, as on AWS.
fn context(answer: ApiGatewayCustomAuthorizerResponse) -> Result<Box<RawValue>, Denial> {
    let entries = match answer.context {
        Value::Object(entries) => entries,
        Value::Null => Map::new(),
        _ => return Err(Denial::Failed),
    };
    let mut context = Map::new();
    for (key, value) in entries {
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(Denial::Failed),
        };
        context.insert(key, Value::String(text));
    }
    context.insert("principalId".into(), Value::String(answer.principal_id.unwrap_or_default()));
    to_raw_value(&context).map_err(|_| Denial::Failed)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use axum::http::Request;
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:local/Development/$connect";

    struct Says(Result<Value, InvokeError>);

    #[async_trait]
    impl Invoke for Says {
        async fn invoke(&self, function: Function, _: Bytes) -> Result<Bytes, InvokeError> {
            assert_eq!(function, Function::Authorizer);
            self.0.clone().map(|value| value.to_string().into())
        }
    }

    async fn decide(answer: Result<Value, InvokeError>) -> Result<String, Denial> {
        let authorizer = Authorizer::new(&[], Arc::new(Says(answer)));
        authorizer.decide(Bytes::new(), ARN).await.map(|context| context.get().to_owned())
    }

    fn policy(effect: &str, resource: &str) -> Value {
        let statement = json!([{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": resource }]);
        json!({ "principalId": "p", "policyDocument": { "Version": "2012-10-17", "Statement": statement },
                "context": { "n": 1, "b": true } })
    }

    #[tokio::test]
    async fn the_policy_decides() {
        let context = r#"{"b":"true","n":"1","principalId":"p"}"#;
        assert_eq!(decide(Ok(policy("Allow", ARN))).await.as_deref(), Ok(context));
        assert_eq!(decide(Ok(policy("Allow", "arn:*/Development/*"))).await.as_deref(), Ok(context));
        assert_eq!(decide(Ok(policy("Allow", "arn:*/Production/*"))).await, Err(Denial::Forbidden));
        assert_eq!(decide(Ok(policy("Deny", "*"))).await, Err(Denial::Forbidden));
        assert_eq!(decide(Ok(json!({ "statusCode": 200 }))).await, Err(Denial::Failed));
        let mut nested = policy("Allow", ARN);
        nested["context"]["n"] = json!([1]);
        assert_eq!(decide(Ok(nested)).await, Err(Denial::Failed));
    }

    #[tokio::test]
    async fn only_the_exact_word_means_401() {
        let error =
            |message: &str| InvokeError::Function { error_type: "Error".into(), message: message.into() };
        assert_eq!(decide(Err(error("Unauthorized"))).await, Err(Denial::Unauthorized));
        assert_eq!(decide(Err(error("unauthorized"))).await, Err(Denial::Failed));
        assert_eq!(decide(Err(InvokeError::TimedOut { seconds: 10.0 })).await, Err(Denial::Failed));
    }

    #[test]
    fn credentials_are_seen_in_any_source() {
        let sources = &[IdentitySource::Header("authorization"), IdentitySource::Query("token")];
        let authorizer = Authorizer::new(sources, Arc::new(Says(Ok(Value::Null))));
        let sees = |uri: &str, header: Option<&str>| {
            let mut request = Request::get(uri);
            if let Some(value) = header {
                request = request.header("Authorization", value);
            }
            authorizer.sees_credentials(&request.body(()).unwrap().into_parts().0)
        };
        assert!(sees("/?token=a", None) && sees("/", Some("Bearer a")));
        assert!(!sees("/?token=", None) && !sees("/", None) && !sees("/?tokens=a", Some("")));
    }

    #[test]
    fn wildcards() {
        assert!(covers("*", "") && covers("a*c?", "abbcd") && covers("é*", "éa"));
        assert!(!covers("a", "ab") && !covers("a?", "a") && !covers("", "a"));
        assert!(covers("*b*bc", "abbbc") && covers("**", "abc") && covers("*?", "é") && covers("a**", "a"));
        assert!(!covers("*a*b", "bbba") && !covers("*?", "") && !covers("a*b*c", "abcb"));
    }

    #[test]
    fn a_pattern_of_any_length_costs_no_stack() {
        let stars = "*".repeat(1_000_000);
        assert!(covers(&stars, &stars));
        assert!(!covers(&format!("{stars}x"), &stars));
    }
}
