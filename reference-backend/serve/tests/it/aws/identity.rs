//! Token verification against published keys that change, are old, or cannot be had.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::Algorithm;
use parking_lot::Mutex;
use reference_backend::ports::{IdentityError, IdentityProvider as _};
use reference_backend::token::{Issuer, TokenRules};
use reference_backend_aws::fetch::Fetching;
use reference_backend_aws::identity::JwksIdentity;
use reference_backend_aws::identity::Provider;
use reference_backend_local::identity::{AUDIENCE, ISSUER, IdentityProfile, LocalIdentity};
use serde_json::{Value, json};

use super::serve;

/// A page with keys, which counts its readers.
#[derive(Clone, Default)]
struct Page {
    /// What it shows; nothing: 503.
    keys: Arc<Mutex<Option<Value>>>,
    read: Arc<AtomicUsize>,
}

impl Page {
    fn publish(&self, issuers: &[&LocalIdentity]) {
        let keys: Vec<_> = issuers.iter().flat_map(|issuer| issuer.keys().keys.clone()).collect();
        *self.keys.lock() = Some(json!({ "keys": keys }));
    }

    fn read(&self) -> usize {
        self.read.load(Relaxed)
    }

    /// Somebody who trusts it.
    async fn trusted(&self, fetching: Fetching, algorithm: Algorithm) -> JwksIdentity {
        let page = self.clone();
        let answer = async move || {
            page.read.fetch_add(1, Relaxed);
            page.keys.lock().clone().map(Json).ok_or(StatusCode::SERVICE_UNAVAILABLE)
        };
        let url = serve(Router::new().route("/keys", get(answer))).await;
        let keys = format!("{url}/keys").parse().unwrap();
        let rules = TokenRules::new(algorithm, Issuer::new(ISSUER), AUDIENCE);
        JwksIdentity::new(Provider { keys, rules }, fetching).unwrap()
    }
}

fn issuer() -> LocalIdentity {
    LocalIdentity::new(IdentityProfile::default()).unwrap()
}

/// Asks at most once per `pause_ms`.
fn fetching(pause_ms: u64, renewal: Duration) -> Fetching {
    Fetching { pause: Duration::from_millis(pause_ms), burst: 1, renewal, ..Fetching::default() }
}

const LONG: Duration = Duration::from_secs(3_600);

async fn player(identity: &JwksIdentity, token: &str) -> Result<String, IdentityError> {
    identity.verify(token).await.map(|player| player.player_id)
}

#[tokio::test]
async fn keys_are_read_once_and_rotation_is_noticed() {
    let (page, old, new) = (Page::default(), issuer(), issuer());
    page.publish(&[&old]);
    let identity = page.trusted(fetching(0, LONG), Algorithm::ES256).await;
    let tokens: Vec<_> = (0..20).map(|n| old.issue(&format!("p{n}")).unwrap()).collect();
    let verdicts = futures_util::future::join_all(tokens.iter().map(|token| player(&identity, token))).await;
    assert!(verdicts.iter().enumerate().all(|(n, verdict)| *verdict == Ok(format!("p{n}"))), "{verdicts:?}");
    assert_eq!(page.read(), 1, "one question for all who wait");

    page.publish(&[&new]);
    assert_eq!(player(&identity, &new.issue("ann").unwrap()).await, Ok("ann".into()));
    assert_eq!(page.read(), 2);
    let withdrawn = player(&identity, &tokens[0]).await;
    assert!(matches!(withdrawn, Err(IdentityError::Invalid(_))), "{withdrawn:?}");
}

#[tokio::test]
async fn invented_keys_do_not_make_us_ask_again_and_again() {
    let (page, known) = (Page::default(), issuer());
    page.publish(&[&known]);
    let identity = page.trusted(fetching(60_000, LONG), Algorithm::ES256).await;
    for _ in 0..20 {
        let verdict = player(&identity, &issuer().issue("eve").unwrap()).await;
        assert!(matches!(verdict, Err(IdentityError::Invalid(_))), "{verdict:?}");
    }
    assert_eq!(player(&identity, &known.issue("ann").unwrap()).await, Ok("ann".into()));
    assert_eq!(page.read(), 1);
}

#[tokio::test]
async fn what_cannot_be_known_is_no_bad_token() {
    let (page, known) = (Page::default(), issuer());
    let identity = page.trusted(fetching(200, LONG), Algorithm::ES256).await;
    let token = known.issue("ann").unwrap();
    for _ in 0..5 {
        let verdict = player(&identity, &token).await;
        assert!(matches!(verdict, Err(IdentityError::Unavailable(_))), "{verdict:?}");
    }
    assert_eq!(page.read(), 1, "a provider that is down is left in peace");
    page.publish(&[&known]);
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(player(&identity, &token).await, Ok("ann".into()));
}

#[tokio::test]
async fn old_keys_are_renewed_but_serve_while_their_owner_is_silent() {
    let (page, known) = (Page::default(), issuer());
    page.publish(&[&known]);
    let identity = page.trusted(fetching(0, Duration::ZERO), Algorithm::ES256).await;
    let token = known.issue("ann").unwrap();
    assert_eq!(player(&identity, &token).await, Ok("ann".into()));
    *page.keys.lock() = None;
    assert_eq!(player(&identity, &token).await, Ok("ann".into()));
    assert_eq!(page.read(), 2);
    page.publish(&[]);
    let withdrawn = player(&identity, &token).await;
    assert!(matches!(withdrawn, Err(IdentityError::Invalid(_))), "{withdrawn:?}");
}

#[tokio::test]
async fn another_algorithm_is_refused_before_anybody_is_asked() {
    let (page, known) = (Page::default(), issuer());
    page.publish(&[&known]);
    let identity = page.trusted(fetching(0, LONG), Algorithm::RS256).await;
    let verdict = player(&identity, &known.issue("ann").unwrap()).await;
    assert!(matches!(verdict, Err(IdentityError::Invalid(_))), "{verdict:?}");
    assert_eq!(page.read(), 0);
    let Err(IdentityError::Invalid(reason)) = player(&identity, "secret.secret.secret").await else {
        panic!("garbage")
    };
    assert!(!reason.contains("secret"), "{reason}");
}

#[tokio::test]
async fn a_page_without_end_is_not_read_to_the_end() {
    let page = Page::default();
    *page.keys.lock() = Some(json!({ "keys": [], "padding": "x".repeat(1_000_000) }));
    let identity = page.trusted(fetching(0, LONG), Algorithm::ES256).await;
    let verdict = player(&identity, &issuer().issue("ann").unwrap()).await;
    let Err(IdentityError::Unavailable(reason)) = verdict else { panic!("{verdict:?}") };
    assert!(reason.contains("bytes"), "{reason}");
}
