//! REQUEST authorizer of `$connect`: decides before the socket opens.
//!
//! Missing credentials are an error with the text `Unauthorized` (401), wrong ones a policy that denies (403), and an
//! identity provider that does not answer any other error (500).

use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerPolicy, ApiGatewayCustomAuthorizerRequestTypeRequest,
    ApiGatewayCustomAuthorizerResponse,
};
use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use serde_json::{Value, json};

use super::caller::{LONGEST_PLAYER_ID, PLAYER_HEADER};
use super::{AuthMode, Deps, HandlerError};
use crate::ports::IdentityError;

/// The result of the authentication.
enum Verdict {
    /// They belong to this player.
    Player(String),
    /// They are wrong.
    Refused,
}

pub(super) async fn handle(
    deps: &Deps,
    event: ApiGatewayCustomAuthorizerRequestTypeRequest,
) -> Result<ApiGatewayCustomAuthorizerResponse, HandlerError> {
    let method_arn = event.method_arn.as_deref().ok_or(HandlerError::Missing("methodArn"))?;
    let verdict = match deps.settings.auth {
        AuthMode::Header => by_header(&event)?,
        AuthMode::Token => by_token(deps, &event, &["bearer"]).await?,
        AuthMode::Steam => by_token(deps, &event, &["steam", "bearer"]).await?,
        // With IAM there is no authorizer, so nothing is verified here.
        AuthMode::Iam => return Err(HandlerError::Unauthorized),
    };
    Ok(match verdict {
        Verdict::Player(id) if !id.is_empty() && id.len() <= LONGEST_PLAYER_ID => {
            policy(method_arn, IamPolicyEffect::Allow, &id)
        }
        _ => policy(method_arn, IamPolicyEffect::Deny, "anonymous"),
    })
}

/// The claimed id; a header that is not text counts as wrong.
fn claimed_player(event: &ApiGatewayCustomAuthorizerRequestTypeRequest) -> Option<Verdict> {
    let value = event.headers.get(PLAYER_HEADER)?;
    if value.is_empty() {
        return None;
    }
    Some(value.to_str().map_or(Verdict::Refused, |id| Verdict::Player(id.to_owned())))
}

fn by_header(event: &ApiGatewayCustomAuthorizerRequestTypeRequest) -> Result<Verdict, HandlerError> {
    claimed_player(event).ok_or(HandlerError::Unauthorized)
}

async fn by_token(
    deps: &Deps,
    event: &ApiGatewayCustomAuthorizerRequestTypeRequest,
    schemes: &[&str],
) -> Result<Verdict, HandlerError> {
    let token = match event.headers.get("authorization") {
        Some(header) => match header.to_str().ok().and_then(|text| text.split_once(' ')) {
            Some((scheme, token)) if schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
                token.trim()
            }
            _ => return Ok(Verdict::Refused),
        },
        None => match event.query_string_parameters.first("token") {
            Some(token) if !token.is_empty() => token,
            _ => return Err(HandlerError::Unauthorized),
        },
    };
    match deps.identity.verify(token).await {
        Ok(identity) => Ok(match claimed_player(event) {
            None => Verdict::Player(identity.player_id),
            Some(Verdict::Player(claimed)) if claimed == identity.player_id => Verdict::Player(claimed),
            Some(_) => Verdict::Refused,
        }),
        Err(IdentityError::Invalid(reason)) => {
            tracing::debug!(reason, "credentials refused");
            Ok(Verdict::Refused)
        }
        Err(error @ IdentityError::Unavailable(_)) => Err(HandlerError::Identity(error)),
    }
}

fn policy(method_arn: &str, effect: IamPolicyEffect, principal: &str) -> ApiGatewayCustomAuthorizerResponse {
    let mut statement = IamPolicyStatement::default();
    statement.action = vec!["execute-api:Invoke".into()];
    statement.resource = vec![method_arn.to_owned()];
    let allowed = effect == IamPolicyEffect::Allow;
    statement.effect = effect;
    let mut policy = ApiGatewayCustomAuthorizerPolicy::default();
    policy.version = Some("2012-10-17".into());
    policy.statement = vec![statement];
    let mut response = ApiGatewayCustomAuthorizerResponse::<Value>::default();
    response.principal_id = Some(principal.to_owned());
    response.policy_document = policy;
    response.context = if allowed { json!({ "playerId": principal }) } else { json!({}) };
    response
}
