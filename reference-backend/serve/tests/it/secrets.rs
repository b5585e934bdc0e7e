//! What the checks of a deployed authorizer log: everything but what proves something. A process of its own, because the
//! log is the whole process's.

use std::io;
use std::sync::Arc;

use axum::Router;
use parking_lot::Mutex;
use reference_backend::ports::IdentityProvider;
use reference_backend_aws::environment::{Auth, Environment};
use reference_backend_aws::fetch::Fetching;
use reference_backend_aws::identity::JwksIdentity;
use reference_backend_aws::steam::SteamTickets;
use reference_backend_local::identity::{
    AUDIENCE, Bans, ISSUER, IdentityProfile, LocalIdentity, PUBLISHER_KEY, http,
};

/// Keeps every line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test]
async fn neither_tokens_nor_tickets_nor_keys_are_logged() {
    let log = Log::default();
    let writer = log.clone();
    // The libraries' own lines, too, those of the `log` crate among them.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let provider = Arc::new(LocalIdentity::new(IdentityProfile::default()).unwrap());
    let up = serve(http::router(Arc::clone(&provider))).await;
    let faulty = IdentityProfile { failure_rate: 1.0.try_into().unwrap(), ..IdentityProfile::default() };
    let down = serve(http::router(Arc::new(LocalIdentity::new(faulty).unwrap()))).await;
    let (token, ticket) = (provider.issue("ann").unwrap(), provider.ticket("ann", Bans::default()));
    let wrong_key = "MARKERpublisherkey";
    let mut verdicts = Vec::new();
    for url in [up.as_str(), &down, "http://127.0.0.1:9"] {
        for key in [PUBLISHER_KEY, wrong_key] {
            let page = format!("{url}/.well-known/jwks.json");
            let lookup = |mode: &'static str| {
                let page = page.clone();
                move |name: &str| {
                    let value = match name {
                        "AUTH_MODE" => mode,
                        "JWKS_URL" => &page,
                        "TOKEN_ISSUER" => ISSUER,
                        "TOKEN_AUDIENCE" => AUDIENCE,
                        "TOKEN_ALGORITHM" => "ES256",
                        "STEAM_URL" => url,
                        "STEAM_APP_ID" => "480",
                        "STEAM_PUBLISHER_KEY" => key,
                        _ => return None,
                    };
                    Some(value.to_owned())
                }
            };
            for mode in ["token", "steam"] {
                let environment = Environment::read(lookup(mode)).unwrap();
                tracing::info!(?environment, "as a careless line would");
                let identity: Box<dyn IdentityProvider> = match environment.auth {
                    Auth::Token(provider) => {
                        Box::new(JwksIdentity::new(provider, Fetching::default()).unwrap())
                    }
                    Auth::Steam(service) => {
                        Box::new(SteamTickets::new(service, Fetching::default()).unwrap())
                    }
                    other => panic!("{other:?}"),
                };
                let forged = if mode == "token" { format!("{token}x") } else { format!("{ticket}00") };
                for credential in [if mode == "token" { &token } else { &ticket }, &forged] {
                    let verdict = identity.verify(credential).await;
                    tracing::info!(?verdict, "what a handler may log");
                    verdicts.push(verdict.is_ok());
                }
            }
        }
    }
    assert_eq!(
        verdicts.iter().filter(|good| **good).count(),
        3,
        "two tokens, and the ticket with the right key"
    );
    let text = String::from_utf8(log.0.lock().clone()).unwrap();
    for told in ["hyper", "reqwest", "TRACE", "careless", "[REDACTED]"] {
        assert!(text.contains(told), "the log has no {told}");
    }
    let ends = [&token, &ticket].map(|credential| &credential[credential.len() - 40..]);
    for secret in [PUBLISHER_KEY, wrong_key, ends[0], ends[1]] {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret}: {line:?}");
    }
}
