//! Where tokens come from, behind one question: the tokens of these players.

use std::sync::Arc;

use scenarios::plan::auth::{Command, TokenSource};
use scenarios::plan::expiry::claim;
use scenarios::plan::feeder::Feeder;
use scenarios::plan::mint::Minter;
use scenarios::{Plan, redact};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::command;
use super::error::AuthError;
use super::issuer::Issuer;
use crate::clock::unix_now;

/// A source of tokens.
pub(super) enum Source {
    Issuer(Issuer),
    Mint(Arc<Minter>),
    Feeder(Feeder),
    Command(Command),
}

impl Source {
    pub(super) fn new(plan: &Plan, issuer: Option<&Url>) -> Result<Self, AuthError> {
        Ok(match &plan.auth.source {
            TokenSource::Issuer(own) => Self::Issuer(Issuer::new(
                own.as_ref().or(issuer).ok_or(AuthError::NoIssuer)?,
                &plan.way.trust,
            )?),
            TokenSource::Mint(minter) => Self::Mint(Arc::clone(minter)),
            TokenSource::Feeder(feeder) => Self::Feeder(feeder.clone()),
            TokenSource::Command(command) => Self::Command(command.clone()),
        })
    }

    /// A token for each of the players, in their order.
    pub(super) async fn tokens(&self, plan: &Plan, numbers: &[u32]) -> Result<Vec<SecretString>, AuthError> {
        let ids: Vec<_> = numbers.iter().map(|&number| plan.player_id(number)).collect();
        match self {
            Self::Issuer(issuer) => own(plan, &ids, issuer.tokens(&ids).await?),
            Self::Command(command) => own(plan, &ids, command::tokens(command, &ids).await?),
            // Signing costs CPU, a file may be slow: neither on the threads that play.
            Self::Mint(minter) => {
                let minter = Arc::clone(minter);
                let signed = tokio::task::spawn_blocking(move || sign(&minter, &ids)).await;
                signed.map_err(|error| AuthError::Mint(error.to_string()))?
            }
            Self::Feeder(feeder) => {
                let (feeder, numbers) = (feeder.clone(), numbers.to_vec());
                let file = feeder.file.display().to_string();
                let read = tokio::task::spawn_blocking(move || read(&feeder, &numbers)).await;
                read.unwrap_or_else(|error| Err(error.to_string())).map_err(|problem| AuthError::Feeder {
                    file,
                    problem: redact::text(&problem).into_owned(),
                })
            }
        }
    }

    /// Whether all tokens cost as much as one.
    pub(super) const fn gives_all_at_once(&self) -> bool {
        matches!(self, Self::Feeder(_))
    }
}

/// The tokens, unless one names another player: every push to that player would then count as lost.
fn own(plan: &Plan, ids: &[String], tokens: Vec<SecretString>) -> Result<Vec<SecretString>, AuthError> {
    let Some(name) = &plan.auth.claim else { return Ok(tokens) };
    for (player, token) in ids.iter().zip(&tokens) {
        if let Some(named) = claim(token.expose_secret(), name).filter(|named| named != player) {
            return Err(AuthError::Stranger { player: player.clone(), claim: name.clone(), named });
        }
    }
    Ok(tokens)
}

fn sign(minter: &Minter, ids: &[String]) -> Result<Vec<SecretString>, AuthError> {
    ids.iter().map(|id| minter.token(id, unix_now()).map(Into::into).map_err(AuthError::Mint)).collect()
}

fn read(feeder: &Feeder, numbers: &[u32]) -> Result<Vec<SecretString>, String> {
    let rows = feeder.read().map_err(|bad| bad.first().map_or_else(String::new, ToString::to_string))?;
    let token = |&number: &u32| {
        let number = number as usize;
        let row = if feeder.cycle { rows.get(number % rows.len()) } else { rows.get(number) };
        row.and_then(|row| row.token.as_deref())
            .map(SecretString::from)
            .ok_or_else(|| format!("there is no line for player {number}"))
    };
    numbers.iter().map(token).collect()
}
