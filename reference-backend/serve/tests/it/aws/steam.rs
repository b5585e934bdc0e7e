//! Tickets and tokens checked as a deployed authorizer checks them, over HTTP, against the local provider.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use reference_backend::ports::{IdentityError, IdentityProvider};
use reference_backend::steam::PATH;
use reference_backend_aws::environment::{Auth, Environment};
use reference_backend_aws::fetch::Fetching;
use reference_backend_aws::identity::JwksIdentity;
use reference_backend_aws::steam::SteamTickets;
use reference_backend_local::identity::{
    APP_ID, AUDIENCE, Bans, IDENTITY, ISSUER, IdentityProfile, LocalIdentity, PUBLISHER_KEY, http,
};
use serde_json::json;

use super::serve;

/// A provider that serves on a port of its own.
async fn provider(profile: IdentityProfile) -> (Arc<LocalIdentity>, String) {
    let provider = Arc::new(LocalIdentity::new(profile).unwrap());
    (Arc::clone(&provider), serve(http::router(provider)).await)
}

/// What an environment with these variables trusts.
fn trusting(variables: &[(&str, &str)]) -> Box<dyn IdentityProvider> {
    let lookup =
        |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, v)| (*v).to_owned());
    match Environment::read(lookup).unwrap().auth {
        Auth::Steam(service) => Box::new(SteamTickets::new(service, Fetching::default()).unwrap()),
        Auth::Token(provider) => Box::new(JwksIdentity::new(provider, Fetching::default()).unwrap()),
        other => panic!("{other:?}"),
    }
}

fn steam(url: &str, key: &str, app_id: &str, identity: &str) -> Box<dyn IdentityProvider> {
    trusting(&[
        ("AUTH_MODE", "steam"),
        ("STEAM_URL", url),
        ("STEAM_APP_ID", app_id),
        ("STEAM_IDENTITY", identity),
        ("STEAM_PUBLISHER_KEY", key),
    ])
}

fn reason(verdict: Result<impl std::fmt::Debug, IdentityError>) -> (bool, String) {
    match verdict.unwrap_err() {
        IdentityError::Invalid(reason) => (true, reason),
        IdentityError::Unavailable(reason) => (false, reason),
    }
}

#[tokio::test]
async fn tickets_are_judged_by_what_steam_says() {
    let (provider, url) = provider(IdentityProfile::default()).await;
    let app = APP_ID.to_string();
    let trusted = steam(&url, PUBLISHER_KEY, &app, IDENTITY);
    let ticket = provider.ticket("ann", Bans::default());
    assert_eq!(trusted.verify(&ticket).await.unwrap().player_id, "ann");
    assert_eq!(steam(&url, PUBLISHER_KEY, &app, "").verify(&ticket).await.unwrap().player_id, "ann");

    let banned = provider.ticket("ann", Bans { publisher_banned: true, ..Bans::default() });
    assert!(reason(trusted.verify(&banned).await).1.contains("banned by the publisher"));
    for (trusted, ticket, told) in [
        (&trusted, "00", "101"),
        (&steam(&url, PUBLISHER_KEY, "481", IDENTITY), ticket.as_str(), "102"),
        (&steam(&url, PUBLISHER_KEY, &app, "another game"), &ticket, "101"),
        // These never leave the house.
        (&trusted, "", "hexadecimal"),
        (&trusted, "abc", "hexadecimal"),
        (&trusted, "zz&key=x", "hexadecimal"),
        (&trusted, &"ab".repeat(3_000), "hexadecimal"),
    ] {
        let (invalid, told_reason) = reason(trusted.verify(ticket).await);
        assert!(invalid && told_reason.contains(told), "{told_reason}");
    }
}

#[tokio::test]
async fn what_is_no_fault_of_the_ticket_is_no_verdict_on_it() {
    let (provider_, url) = provider(IdentityProfile::default()).await;
    let (app, ticket) = (APP_ID.to_string(), provider_.ticket("ann", Bans::default()));
    let down = IdentityProfile { failure_rate: 1.0.try_into().unwrap(), ..IdentityProfile::default() };
    let (_, down) = provider(down).await;
    let redirect = || async { (StatusCode::FOUND, [("location", "http://127.0.0.1:9/")], "") };
    let strange = serve(Router::new().route(PATH, get(|| async { Json(json!({ "response": {} })) }))).await;
    let elsewhere = serve(Router::new().route(PATH, get(redirect))).await;
    for (url, key, told) in [
        (url.as_str(), "MARKER-wrong", "403"),
        (&down, "MARKER", "503"),
        (&strange, "MARKER", "cannot be read"),
        (&elsewhere, "MARKER", "302"),
        ("http://127.0.0.1:9", "MARKER", ""),
    ] {
        let (invalid, told_reason) = reason(steam(url, key, &app, IDENTITY).verify(&ticket).await);
        assert!(!invalid && told_reason.contains(told), "{url}: {told_reason}");
        assert!(!told_reason.contains("MARKER") && !told_reason.contains(&ticket), "{told_reason}");
    }
}

#[tokio::test]
async fn a_rotation_is_noticed_by_who_has_the_old_keys() {
    let profile = IdentityProfile { key_grace_s: 3_600, ..IdentityProfile::default() };
    let (provider, url) = provider(profile).await;
    let page = format!("{url}/.well-known/jwks.json");
    let trusted = trusting(&[
        ("AUTH_MODE", "token"),
        ("JWKS_URL", &page),
        ("TOKEN_ISSUER", ISSUER),
        ("TOKEN_AUDIENCE", AUDIENCE),
        ("TOKEN_ALGORITHM", "ES256"),
    ]);
    let old = provider.issue("ann").unwrap();
    assert_eq!(trusted.verify(&old).await.unwrap().player_id, "ann");
    provider.rotate().unwrap();
    let new = provider.issue("ann").unwrap();
    assert_eq!(
        trusted.verify(&new).await.unwrap().player_id,
        "ann",
        "at once, though keys were fetched just now"
    );
    assert_eq!(trusted.verify(&old).await.unwrap().player_id, "ann", "still published");
}

#[tokio::test]
async fn a_key_that_has_left_the_page_counts_no_more_once_it_is_read_again() {
    let profile = IdentityProfile { key_grace_s: 0, ..IdentityProfile::default() };
    let (provider, url) = provider(profile).await;
    let lookup = |name: &str| {
        Some(match name {
            "AUTH_MODE" => "token".to_owned(),
            "JWKS_URL" => format!("{url}/.well-known/jwks.json"),
            "TOKEN_ISSUER" => ISSUER.to_owned(),
            "TOKEN_AUDIENCE" => AUDIENCE.to_owned(),
            "TOKEN_ALGORITHM" => "ES256".to_owned(),
            _ => return None,
        })
    };
    let Auth::Token(trusted) = Environment::read(lookup).unwrap().auth else { panic!("token") };
    let fetching = Fetching { pause: Duration::ZERO, ..Fetching::default() };
    let trusted = JwksIdentity::new(trusted, fetching).unwrap();
    let old = provider.issue("ann").unwrap();
    assert_eq!(trusted.verify(&old).await.unwrap().player_id, "ann");
    provider.rotate().unwrap();
    assert!(trusted.verify(&old).await.is_ok(), "nobody has looked yet");
    assert!(trusted.verify(&provider.issue("ann").unwrap()).await.is_ok());
    assert!(matches!(trusted.verify(&old).await, Err(IdentityError::Invalid(_))));
}
