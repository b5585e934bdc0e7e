//! The players' tokens: fetched before the run, renewed before they expire, dropped once their player needs it no more.
//!
//! The first player that asks a second time shows that players reconnect: from then on tokens are kept, and renewed,
//! so that a reconnect does not wait for one. Where a protocol has them in messages of an open socket, they are kept from
//! the start.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use protocol::Outline;
use scenarios::Plan;
use scenarios::plan::expiry::expiry;
use scenarios::plan::shard::Shard;
use secrecy::{ExposeSecret, SecretString};

use super::error::AuthError;
use super::marks::Marks;
use super::source::Source;
use crate::clock::unix_now as now;

/// How often the vault looks for tokens that are about to end.
const LOOK: Duration = Duration::from_secs(1);
/// How long the source is left alone after a failure, in seconds.
const RETRY_S: u64 = 5;
/// Tokens that are renewed at a time, so that what is renewed first is available first.
const BATCH: usize = 1_000;

/// Tokens of all players of a worker's part.
pub(super) struct Vault {
    plan: Arc<Plan>,
    shard: Shard,
    source: Source,
    slots: Box<[Mutex<Slot>]>,
    /// Whether tokens stay after they were used.
    keep: AtomicBool,
    /// Whether the protocol has them, so that they may look otherwise.
    in_templates: bool,
    /// The last failure and when it was.
    trouble: Mutex<Option<(u64, AuthError)>>,
}

/// One player's token; times are seconds since 1970, and `u32` lasts until 2106.
#[derive(Default)]
struct Slot {
    token: Option<SecretString>,
    /// When it expires; 0: never, or unknown.
    ends: u32,
    /// When it is renewed; 0: never.
    renew_at: u32,
    /// By which it is recognised, also after it has been dropped.
    marks: Marks,
}

impl Vault {
    /// Without tokens yet.
    pub(super) fn new(plan: Arc<Plan>, shard: Shard, source: Source, protocol: &Outline) -> Self {
        let slots = numbers(&plan, shard).map(|_| Mutex::default()).collect();
        let (keep, in_templates) = (AtomicBool::new(protocol.token_in_operations), protocol.token);
        Self { plan, shard, source, slots, keep, in_templates, trouble: Mutex::new(None) }
    }

    /// Fetches all tokens.
    pub(super) async fn fill(&self) -> Result<(), AuthError> {
        self.get(&numbers(&self.plan, self.shard).collect::<Vec<_>>()).await
    }

    /// A player's token; waits only if it was dropped or has expired.
    pub(super) async fn token(&self, number: u32) -> Result<SecretString, AuthError> {
        if let Some(token) = self.available(number) {
            return Ok(token);
        }
        if self.slot(number).lock().token.is_none() {
            self.keep.store(true, Ordering::Relaxed);
        }
        if let Some((at, error)) = &*self.trouble.lock()
            && now() < at + RETRY_S
        {
            return Err(error.clone());
        }
        let wanted = if self.source.gives_all_at_once() { self.due(now()) } else { Vec::new() };
        let wanted = if wanted.contains(&number) { wanted } else { vec![number] };
        self.renew(&wanted).await?;
        self.available(number).ok_or_else(|| AuthError::Expired("it expired at once".into()))
    }

    /// The player needs its token no more.
    pub(super) fn used(&self, number: u32) {
        if !self.keep.load(Ordering::Relaxed) {
            let mut slot = self.slot(number).lock();
            *slot = Slot { marks: std::mem::take(&mut slot.marks), ..Slot::default() };
        }
    }

    /// A text without the player's token, or any longer part of it.
    pub(super) fn hide_in<'t>(&self, number: u32, text: &'t str) -> Cow<'t, str> {
        // A text may be about a player of another worker, whose token is not here.
        let slot = self.slots.get((number / self.shard.step() as u32) as usize);
        slot.map_or(Cow::Borrowed(text), |slot| slot.lock().marks.hide_in(text))
    }

    fn slot(&self, number: u32) -> &Mutex<Slot> {
        &self.slots[(number / self.shard.step() as u32) as usize]
    }

    /// A player's token, if it is here and good.
    pub(super) fn available(&self, number: u32) -> Option<SecretString> {
        let slot = self.slot(number).lock();
        if slot.ends != 0 && u64::from(slot.ends) <= now() { None } else { slot.token.clone() }
    }

    /// Players whose token has to be fetched again: about to expire, or missing where players reconnect.
    fn due(&self, now: u64) -> Vec<u32> {
        let keep = self.keep.load(Ordering::Relaxed);
        let due = |slot: &Mutex<Slot>| {
            let slot = slot.lock();
            match slot.token {
                Some(_) => slot.renew_at != 0 && u64::from(slot.renew_at) <= now,
                None => keep,
            }
        };
        numbers(&self.plan, self.shard)
            .zip(&self.slots)
            .filter(|(_, slot)| due(slot))
            .map(|(number, _)| number)
            .collect()
    }

    /// Fetches tokens again; a failure is remembered and logged.
    async fn renew(&self, numbers: &[u32]) -> Result<(), AuthError> {
        let mut got = self.get(numbers).await;
        if got.is_ok() && numbers.iter().any(|&number| self.available(number).is_none()) {
            got = Err(AuthError::Expired("the source gave one that has expired, too".into()));
        }
        let mut trouble = self.trouble.lock();
        match &got {
            Ok(()) => *trouble = None,
            Err(error) => {
                tracing::warn!("{} tokens could not be renewed: {error}", numbers.len());
                *trouble = Some((now(), error.clone()));
            }
        }
        got
    }

    async fn get(&self, numbers: &[u32]) -> Result<(), AuthError> {
        let tokens = self.source.tokens(&self.plan, numbers).await?;
        let now = now();
        for (&number, token) in numbers.iter().zip(tokens) {
            let ends = expiry(token.expose_secret());
            *self.slot(number).lock() = Slot {
                ends: ends.map_or(0, seconds),
                renew_at: ends.map_or(0, |ends| seconds(self.renew_at(now, ends))),
                marks: Marks::of(token.expose_secret(), self.in_templates),
                token: Some(token),
            };
        }
        Ok(())
    }

    /// Some time before the expiry, and never before half of what is left, so that short tokens are not renewed at once.
    fn renew_at(&self, now: u64, ends: u64) -> u64 {
        let left = ends.saturating_sub(now);
        ends - self.plan.auth.refresh_before.as_secs().min(left / 2)
    }
}

/// The players whose tokens these are.
fn numbers(plan: &Plan, shard: Shard) -> impl Iterator<Item = u32> + use<> {
    (0..plan.players).filter(move |&number| shard.has(number.into()))
}

fn seconds(at: u64) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Renews what is about to expire.
pub(super) async fn keep_fresh(vault: Arc<Vault>) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let due = vault.due(now());
        let batch = if vault.source.gives_all_at_once() { due.len().max(1) } else { BATCH };
        for batch in due.chunks(batch) {
            if vault.renew(batch).await.is_err() {
                tokio::time::sleep(Duration::from_secs(RETRY_S)).await;
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;
    use tokio_util::task::AbortOnDropHandle;

    use super::*;

    fn jwt(name: &str, ends_in: u64) -> String {
        let claims = json!({ "sub": name, "exp": now() + ends_in });
        encode(&Header::default(), &claims, &EncodingKey::from_secret(b"k")).unwrap()
    }

    /// Two players whose tokens stand in a file.
    fn vault(folder: &Path, tokens: [&str; 2]) -> Arc<Vault> {
        vault_of(folder, tokens, &Outline::default())
    }

    /// The same, for a protocol.
    fn vault_of(folder: &Path, tokens: [&str; 2], protocol: &Outline) -> Arc<Vault> {
        let write = |tokens: [&str; 2]| {
            std::fs::write(folder.join("t.csv"), format!("token\n{}\n{}\n", tokens[0], tokens[1])).unwrap();
        };
        write(tokens);
        let text = "name = \"v\"\nplayers = 2\n[target]\nurl = \"ws://127.0.0.1:1\"\n\
                    [auth.feeder]\nfile = \"t.csv\"\n[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n";
        let scenario = folder.join("v.toml");
        let plan = scenarios::check(&scenario.display().to_string(), text, &[]).unwrap().plan;
        let source = Source::new(&plan, None).unwrap();
        Arc::new(Vault::new(Arc::new(plan), Shard::WHOLE, source, protocol))
    }

    #[tokio::test]
    async fn a_token_is_renewed_before_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (first, endless) = (jwt("first", 4), "ticket");
        let vault = vault(folder.path(), [&first, endless]);
        vault.fill().await.unwrap();
        assert_eq!(vault.token(0).await.unwrap().expose_secret(), first);
        let second = jwt("second", 3_600);
        std::fs::write(folder.path().join("t.csv"), format!("token\n{second}\nother\n")).unwrap();
        let renewal = AbortOnDropHandle::new(tokio::spawn(keep_fresh(Arc::clone(&vault))));
        let patience = std::time::Instant::now() + Duration::from_secs(30);
        while vault.available(0).is_none_or(|token| token.expose_secret() != second) {
            assert!(std::time::Instant::now() < patience, "not renewed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(vault.token(1).await.unwrap().expose_secret(), endless, "what has no end is left alone");
        drop(renewal);
        while Arc::strong_count(&vault) > 1 {
            assert!(std::time::Instant::now() < patience, "the renewal goes on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn a_used_token_is_dropped_until_players_reconnect() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path(), ["one", "two"]);
        vault.fill().await.unwrap();
        vault.used(0);
        assert!(vault.available(0).is_none() && vault.due(now()).is_empty());
        assert_eq!(vault.hide_in(0, "«one» is bad"), "«[credential]» is bad", "it is known all the same");
        assert_eq!(vault.token(0).await.unwrap().expose_secret(), "one", "fetched again");
        vault.used(0);
        vault.used(1);
        assert!(vault.available(0).is_some() && vault.available(1).is_some(), "kept from then on");
    }

    #[tokio::test]
    async fn tokens_of_messages_stay() {
        let folder = tempfile::tempdir().unwrap();
        let protocol = Outline { token: true, token_in_operations: true, ..Outline::default() };
        let vault = vault_of(folder.path(), ["a-first-ticket", "a-second-ticket"], &protocol);
        vault.fill().await.unwrap();
        vault.used(0);
        assert!(vault.available(0).is_some());
        let said = "dXNlcg== YS1maXJzdC10aWNrZXQ= YS1zZWNvbmQtdGlja2V0";
        assert_eq!(vault.hide_in(0, said), "dXNlcg== [credential] YS1zZWNvbmQtdGlja2V0");
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_renewed_is_an_error_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let short = jwt("short", 2);
        let vault = vault(folder.path(), [&short, &short]);
        vault.fill().await.unwrap();
        while vault.available(0).is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let error = vault.token(0).await.unwrap_err().to_string();
        assert!(error.contains("has expired, too") && !error.contains(&short), "{error}");
        std::fs::remove_file(folder.path().join("t.csv")).unwrap();
        assert!(vault.token(1).await.is_err(), "the source is left alone for a while");
    }

    #[test]
    fn a_short_token_is_not_renewed_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path(), ["one", "two"]);
        assert_eq!(vault.renew_at(1_000, 5_000), 4_940);
        assert_eq!(vault.renew_at(1_000, 1_010), 1_005);
        assert_eq!(vault.renew_at(1_000, 900), 900);
    }
}
