//! What a run needs beside the target: players' credentials, the AWS credential chain, CloudWatch. Each is tried once.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_cloudwatch::Client;
use scenarios::Plan;
use scenarios::plan::Target;
use scenarios::plan::auth::TokenSource;
use scenarios::plan::shard::Shard;
use scenarios::scenario::AuthMode;

use crate::auth::aws::Chain;
use crate::auth::{AuthError, Credentials};
use crate::cloudwatch;
use crate::commands::doctor::facts::Access;

/// Tries what the plan needs, for one player; the credentials are then used in the target's handshake.
pub(in crate::commands::doctor) async fn look(plan: &Arc<Plan>) -> (Option<Credentials>, Vec<Access>) {
    let embedded = matches!(plan.target, Target::Embedded { .. });
    let signed = plan.auth.mode == AuthMode::SigV4;
    let wanted = plan.cloudwatch.as_ref().filter(|_| !embedded);
    let mut access = Vec::new();
    let chain = if signed || wanted.is_some_and(|wanted| wanted.endpoint.is_none()) {
        let chain = Chain::resolve(plan.auth.sigv4.region.as_deref()).await;
        access.push(self::chain(&chain, signed));
        Some(chain)
    } else {
        None
    };
    if let Some(wanted) = wanted {
        access.push(cloudwatch(wanted, chain.as_ref()).await);
    }
    if embedded {
        return (None, access);
    }
    let mut one = (**plan).clone();
    one.players = 1;
    let one = Arc::new(one);
    let what = match (plan.auth.mode, &plan.auth.source) {
        (AuthMode::Token, TokenSource::Issuer(Some(issuer))) => {
            format!("a token from {}", issuer.origin().ascii_serialization())
        }
        (AuthMode::Token, TokenSource::Issuer(None)) => "a token".into(),
        (AuthMode::Token, TokenSource::Mint(_)) => "a token signed here".into(),
        (AuthMode::Token, TokenSource::Feeder(feeder)) => format!("a token from {}", feeder.file.display()),
        (AuthMode::Token, TokenSource::Command(command)) => {
            format!("a token from `{}`", command.argv.first().map_or("", String::as_str))
        }
        (AuthMode::SigV4, _) => "a signature".into(),
        (AuthMode::Header, _) => "a player id".into(),
        (AuthMode::None, _) => "no credentials".into(),
    };
    let prepared = match chain {
        Some(chain) if signed => chain.and_then(|chain| Credentials::signing(&one, chain)),
        _ => Credentials::prepare(&one, Shard::WHOLE, None).await,
    };
    let outcome = match &prepared {
        Ok(_) => Ok("available".into()),
        Err(error) => Err(error.to_string()),
    };
    access.push(Access { check: "credentials", what, outcome, vital: true });
    (prepared.ok(), access)
}

/// Whether the AWS chain has credentials, and for how long they are valid; the identity is not shown.
fn chain(chain: &Result<Chain, AuthError>, vital: bool) -> Access {
    let outcome = chain.as_ref().map_err(ToString::to_string).map(|Chain { region, credentials, .. }| {
        let region = region.as_ref().map_or_else(|| "no region".into(), |region| format!("region {region}"));
        let left = credentials.expiry().and_then(|end| end.duration_since(SystemTime::now()).ok());
        let end = left.map_or_else(String::new, |left| format!(", valid for another {} s", left.as_secs()));
        format!("resolved, {region}{end}")
    });
    Access { check: "aws", what: "the AWS credential chain".into(), outcome, vital }
}

async fn cloudwatch(
    wanted: &scenarios::plan::CloudWatch,
    chain: Option<&Result<Chain, AuthError>>,
) -> Access {
    let credentials = chain.and_then(|chain| Some(chain.as_ref().ok()?.credentials.clone()));
    let (client, access) = cloudwatch::client(wanted, wanted.endpoint.as_ref(), credentials).await;
    let what = wanted.endpoint.as_ref().map_or_else(
        || format!("CloudWatch in {}", access.region),
        |endpoint| format!("CloudWatch at {}", endpoint.origin().ascii_serialization()),
    );
    let outcome = match chain {
        Some(Err(error)) if wanted.endpoint.is_none() => Err(error.to_string()),
        _ => list(&client).await,
    };
    Access { check: "cloudwatch", what, outcome, vital: false }
}

async fn list(client: &Client) -> Result<String, String> {
    let page = client.list_metrics().namespace("AWS/Lambda").metric_name("Invocations").send().await;
    let page = page.map_err(|error| cloudwatch::explained("ListMetrics", &error))?;
    Ok(format!("answers; the first page lists {} series of Lambda functions", page.metrics().len()))
}
