//! What a run needs beside the target: players' credentials, the AWS chain, CloudWatch. Each is tried once.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_cloudwatch::error::DisplayErrorContext;
use scenarios::Plan;
use scenarios::auth::planned::TokenSource;
use scenarios::plan::Target;
use scenarios::scenario::AuthMode;
use scenarios::shard::Shard;

use super::facts::Access;
use crate::auth::{Credentials, aws};
use crate::cloudwatch;

/// Tries what the plan needs, for one player; the credentials serve for the target's handshake.
pub async fn look(plan: &Arc<Plan>) -> (Option<Credentials>, Vec<Access>) {
    let embedded = matches!(plan.target, Target::Embedded { .. });
    let mut access = Vec::new();
    let cloudwatch_on_aws = plan.cloudwatch.as_ref().filter(|wanted| !embedded && wanted.endpoint.is_none());
    if plan.auth.mode == AuthMode::SigV4 || cloudwatch_on_aws.is_some() {
        access.push(chain(plan.auth.sigv4.region.as_deref(), plan.auth.mode == AuthMode::SigV4).await);
    }
    if let Some(wanted) = plan.cloudwatch.as_ref().filter(|_| !embedded) {
        access.push(cloudwatch(wanted).await);
    }
    if embedded {
        return (None, access);
    }
    let mut one = (**plan).clone();
    one.players = 1;
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
    let prepared = Credentials::prepare(&Arc::new(one), Shard::WHOLE, None).await;
    let outcome = match &prepared {
        Ok(_) => Ok("at hand".into()),
        Err(error) => Err(error.to_string()),
    };
    access.push(Access { check: "credentials", what, outcome, vital: true });
    (prepared.ok(), access)
}

/// Whether the AWS chain has credentials, and for how long; not whose.
async fn chain(region: Option<&str>, vital: bool) -> Access {
    let config = aws::config(region).await;
    let asked = match aws::provider(&config) {
        Ok(provider) => aws::credentials(&provider).await,
        Err(error) => Err(error),
    };
    let outcome = asked.map_err(|error| error.to_string()).map(|credentials| {
        let region = config.region().map_or_else(|| "no region".into(), |region| format!("region {region}"));
        let left = credentials.expiry().and_then(|end| end.duration_since(SystemTime::now()).ok());
        let end = left.map_or_else(String::new, |left| format!(", good for {} s more", left.as_secs()));
        format!("resolved, {region}{end}")
    });
    Access { check: "aws", what: "the AWS chain".into(), outcome, vital }
}

async fn cloudwatch(wanted: &scenarios::plan::CloudWatch) -> Access {
    let (client, region) = cloudwatch::client(wanted, wanted.endpoint.as_ref()).await;
    let what = wanted.endpoint.as_ref().map_or_else(
        || format!("CloudWatch in {region}"),
        |endpoint| format!("CloudWatch at {}", endpoint.origin().ascii_serialization()),
    );
    let outcome = match client.list_metrics().namespace("AWS/Lambda").metric_name("Invocations").send().await
    {
        Ok(page) => {
            Ok(format!("answers, {} series of Lambda functions at first sight", page.metrics().len()))
        }
        Err(error) => Err(DisplayErrorContext(&error).to_string()),
    };
    Access { check: "cloudwatch", what, outcome, vital: false }
}
