//! The addresses of a host: found again while a run goes on, and tried one after the other where one does not answer.
//!
//! Players are spread over the addresses. One that refuses costs its player an attempt at the next, and one that does not
//! answer at all a quarter of a second, as in "Happy Eyeballs" (RFC 8305): the next attempt then runs beside the first.
//! An address that has failed is asked last for a while, so that not every player pays for it.
//!
//! A name is resolved again every half a minute, and as soon as none of its addresses answers: behind it may be a load
//! balancer that moves. No handshake waits for that.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::error::io_class;
use crate::record::classes;

/// How old a resolution may be.
const RENEWAL: Duration = Duration::from_secs(30);
/// Between two resolutions at least.
const GAP: Duration = Duration::from_secs(1);
/// How long an attempt is waited for until the next begins beside it (RFC 8305, §5).
const HEAD_START: Duration = Duration::from_millis(250);
/// For how long an address that has failed is asked last.
const DOWN: Duration = Duration::from_secs(10);

/// How a host is resolved.
type Resolve = Arc<dyn Fn() -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Every address that players have been led to so far.
#[derive(Debug, Clone, Default)]
pub struct Targets(Arc<Mutex<Vec<SocketAddr>>>);

impl Targets {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<SocketAddr> {
        self.0.lock().clone()
    }

    fn add(&self, addresses: &[SocketAddr]) {
        let mut all = self.0.lock();
        for address in addresses {
            if !all.contains(address) {
                all.push(*address);
            }
        }
    }
}

impl From<Vec<SocketAddr>> for Targets {
    fn from(addresses: Vec<SocketAddr>) -> Self {
        Self(Arc::new(Mutex::new(addresses)))
    }
}

/// A host's addresses.
pub(super) struct Addresses {
    shared: Arc<Shared>,
    /// Resolves again; none where the host is an address. It ends with this value.
    _renewal: Option<AbortOnDropHandle<()>>,
}

struct Shared {
    host: String,
    current: RwLock<Arc<[Known]>>,
    targets: Targets,
    /// None of the addresses has answered.
    wanted: Notify,
    born: Instant,
}

/// An address, and what is known of it.
struct Known {
    address: SocketAddr,
    /// Until when it is asked last, in microseconds from the host's first resolution.
    down_until: AtomicU64,
    /// Whether it has ever answered: slowness alone then proves nothing.
    answered: AtomicBool,
    /// Whether its failure was reported.
    reported: AtomicBool,
}

impl Addresses {
    /// Resolves a host, which may be an address (an IPv6 one without brackets).
    ///
    /// # Errors
    /// The resolver's answer.
    pub(super) async fn of(host: &str, port: u16) -> io::Result<Self> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(Self::fixed(host, vec![SocketAddr::new(address, port)]));
        }
        let name = host.to_owned();
        let resolve: Resolve = Arc::new(move || {
            let name = name.clone();
            Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), port)).await?.collect()) })
        });
        Self::renewed(host, resolve, RENEWAL).await
    }

    fn fixed(host: &str, addresses: Vec<SocketAddr>) -> Self {
        let targets = Targets::from(addresses.clone());
        let current = RwLock::new(addresses.into_iter().map(Known::new).collect());
        let shared =
            Shared { host: host.into(), current, targets, wanted: Notify::new(), born: Instant::now() };
        Self { shared: Arc::new(shared), _renewal: None }
    }

    async fn renewed(host: &str, resolve: Resolve, every: Duration) -> io::Result<Self> {
        let first = resolve().await?;
        if first.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        let Self { shared, .. } = Self::fixed(host, interleaved(first));
        let renewal = tokio::spawn(keep_fresh(Arc::clone(&shared), resolve, every));
        Ok(Self { shared, _renewal: Some(AbortOnDropHandle::new(renewal)) })
    }

    /// The addresses as they are known now.
    pub(super) fn current(&self) -> Vec<SocketAddr> {
        self.shared.current.read().iter().map(|known| known.address).collect()
    }

    /// All that there have been.
    pub(super) fn targets(&self) -> Targets {
        self.shared.targets.clone()
    }

    /// Connects with `dial` to the address that falls to `number`, or to the next one that answers; only addresses that
    /// `may` be dialled.
    ///
    /// # Errors
    /// What became of the only attempt, or of all.
    pub(super) async fn connect<T, F>(
        &self,
        number: u32,
        may: impl Fn(SocketAddr) -> bool,
        dial: impl Fn(SocketAddr) -> F,
    ) -> io::Result<T>
    where
        F: Future<Output = io::Result<T>>,
    {
        let known = Arc::clone(&*self.shared.current.read());
        let connected = match &*known {
            [only] => dial(only.address).await,
            // Boxed: most targets have one address, and a handshake is as large as its largest branch.
            several => {
                let order = self.shared.order(several, number, may);
                Box::pin(self.shared.race(&order, dial)).await
            }
        };
        if connected.as_ref().is_err_and(|error| !is_ours(error)) {
            self.shared.wanted.notify_one();
        }
        connected
    }
}

impl Known {
    const fn new(address: SocketAddr) -> Self {
        Self {
            address,
            down_until: AtomicU64::new(0),
            answered: AtomicBool::new(false),
            reported: AtomicBool::new(false),
        }
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// In which order `number` tries the addresses: those that have failed lately last.
    fn order<'k>(&self, known: &'k [Known], number: u32, may: impl Fn(SocketAddr) -> bool) -> Vec<&'k Known> {
        let now = self.now();
        let allowed: Vec<_> = known.iter().filter(|known| may(known.address)).collect();
        let all = if allowed.is_empty() { known.iter().collect() } else { allowed };
        let (mut up, mut down): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|known| known.down_until.load(Ordering::Relaxed) <= now);
        for part in [&mut up, &mut down] {
            let turn = number as usize % part.len().max(1);
            part.rotate_left(turn);
        }
        up.append(&mut down);
        up
    }

    async fn race<T, F>(&self, order: &[&Known], dial: impl Fn(SocketAddr) -> F) -> io::Result<T>
    where
        F: Future<Output = io::Result<T>>,
    {
        let mut waiting = order.iter().copied();
        let mut running = FuturesUnordered::new();
        let mut begun: Vec<&Known> = Vec::new();
        let mut failed: Vec<(&Known, io::Error)> = Vec::new();
        loop {
            if let Some(known) = waiting.next() {
                let attempt = dial(known.address);
                running.push(async move { (known, attempt.await) });
                begun.push(known);
            }
            let ended = if waiting.len() == 0 {
                running.next().await
            } else {
                tokio::time::timeout(HEAD_START, running.next()).await.unwrap_or_default()
            };
            match ended {
                Some((known, Ok(connected))) => {
                    known.answered.store(true, Ordering::Relaxed);
                    known.down_until.store(0, Ordering::Relaxed);
                    for (other, error) in &failed {
                        self.passed_over(other, &error.to_string());
                    }
                    let slow = |other: &&&Known| {
                        other.address != known.address
                            && !other.answered.load(Ordering::Relaxed)
                            && failed.iter().all(|(failed, _)| failed.address != other.address)
                    };
                    begun.iter().filter(slow).for_each(|other| self.passed_over(other, "no answer"));
                    return Ok(connected);
                }
                // What this machine has run out of, it has run out of for all addresses.
                Some((_, Err(error))) if is_ours(&error) => return Err(error),
                Some((known, Err(error))) => {
                    failed.push((known, error));
                    if waiting.len() == 0 && running.is_empty() {
                        return Err(all_failed(failed));
                    }
                }
                None => {}
            }
        }
    }

    /// Another address has answered where this one did not.
    fn passed_over(&self, known: &Known, why: &str) {
        known.down_until.store(self.now() + DOWN.as_micros() as u64, Ordering::Relaxed);
        if !known.reported.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "{}: the address {} does not take connections ({why}); its players go to the others",
                self.host,
                known.address
            );
        }
    }

    /// The name has been resolved again.
    fn renew(&self, found: Vec<SocketAddr>) {
        let before: Vec<_> = self.current.read().iter().map(|known| known.address).collect();
        let same = before.len() == found.len() && found.iter().all(|address| before.contains(address));
        if found.is_empty() || same {
            return;
        }
        tracing::info!("{} has moved: {before:?} became {found:?}", self.host);
        self.targets.add(&found);
        let old = Arc::clone(&*self.current.read());
        let keep = |address| {
            let new = Known::new(address);
            if let Some(old) = old.iter().find(|old| old.address == address) {
                new.down_until.store(old.down_until.load(Ordering::Relaxed), Ordering::Relaxed);
                new.answered.store(old.answered.load(Ordering::Relaxed), Ordering::Relaxed);
                new.reported.store(old.reported.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            new
        };
        *self.current.write() = found.into_iter().map(keep).collect();
    }
}

/// Resolves again and again.
async fn keep_fresh(shared: Arc<Shared>, resolve: Resolve, every: Duration) {
    loop {
        // A wish that comes meanwhile waits.
        tokio::time::sleep(GAP.min(every)).await;
        let _ = tokio::time::timeout(every.saturating_sub(GAP), shared.wanted.notified()).await;
        match resolve().await {
            Ok(found) => shared.renew(interleaved(found)),
            // What is known may still be right.
            Err(error) => tracing::debug!("{} cannot be resolved again: {error}", shared.host),
        }
    }
}

/// The addresses with the families in turn, beginning with the resolver's first (RFC 8305, §4).
fn interleaved(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = found.first().is_some_and(SocketAddr::is_ipv4);
    let (one, other): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| address.is_ipv4() == first);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut mixed = Vec::new();
    loop {
        let before = mixed.len();
        for address in [one.next(), other.next()].into_iter().flatten() {
            if !mixed.contains(&address) {
                mixed.push(address);
            }
        }
        if mixed.len() == before && one.len() == 0 && other.len() == 0 {
            return mixed;
        }
    }
}

/// Whether an error is this machine's, and not the address's.
fn is_ours(error: &io::Error) -> bool {
    classes::OF_THE_MACHINE.iter().any(|(class, _)| *class == io_class(error))
}

/// One error for all attempts, of the first one's kind.
fn all_failed(mut failed: Vec<(&Known, io::Error)>) -> io::Error {
    if failed.len() == 1
        && let Some((_, error)) = failed.pop()
    {
        return error;
    }
    let kind = failed.first().map_or(io::ErrorKind::Other, |(_, error)| error.kind());
    let each = failed.iter().map(|(known, error)| format!("{}: {error}", known.address));
    io::Error::new(kind, each.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    const SIX: &str = "[::1]:1";
    const FOUR: &str = "127.0.0.1:1";

    fn refused() -> io::Error {
        io::Error::from(io::ErrorKind::ConnectionRefused)
    }

    #[test]
    fn families_take_turns_beginning_with_the_resolvers_first() {
        let found = addresses(&["[::1]:1", "[::2]:1", "[::1]:1", "1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1"]);
        let wanted = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "3.3.3.3:1"]);
        assert_eq!(interleaved(found), wanted);
    }

    #[tokio::test]
    async fn players_are_spread_where_all_answer() {
        let host = Addresses::fixed("h", addresses(&[SIX, FOUR]));
        let mut counts = [0, 0];
        for number in 0..10 {
            let connected = host.connect(number, |_| true, async |address| Ok(address)).await.unwrap();
            counts[usize::from(connected.is_ipv4())] += 1;
        }
        assert_eq!(counts, [5, 5]);
    }

    #[tokio::test]
    async fn after_a_refusal_the_next_address_is_tried_and_then_asked_first() {
        let host = Addresses::fixed("h", addresses(&[SIX, FOUR]));
        let tried = Mutex::new(Vec::new());
        let dial = async |address: SocketAddr| {
            tried.lock().push(address);
            if address.is_ipv6() { Err(refused()) } else { Ok(address) }
        };
        for number in 0..4 {
            assert_eq!(host.connect(number, |_| true, &dial).await.unwrap(), addresses(&[FOUR])[0]);
        }
        let six = tried.lock().iter().filter(|address| address.is_ipv6()).count();
        assert_eq!((six, tried.lock().len()), (1, 5), "one attempt for all players");
    }

    #[tokio::test]
    async fn an_address_that_says_nothing_holds_one_player_up_for_a_moment() {
        let host = Addresses::fixed("h", addresses(&[SIX, FOUR]));
        let dial = async |address: SocketAddr| {
            if address.is_ipv6() {
                std::future::pending::<()>().await;
            }
            Ok(address)
        };
        let begun = Instant::now();
        assert!(host.connect(0, |_| true, dial).await.unwrap().is_ipv4());
        assert!((HEAD_START..HEAD_START * 8).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        let order = host.shared.current.read().clone();
        let order = host.shared.order(&order, 0, |_| true);
        assert!(order[0].address.is_ipv4(), "asked last from now on");
    }

    #[tokio::test]
    async fn where_nobody_answers_each_is_told() {
        let host = Addresses::fixed("h", addresses(&[SIX, FOUR]));
        let error = host.connect(1, |_| true, async |_| Err::<(), _>(refused())).await.unwrap_err();
        assert_eq!(io_class(&error), "refused");
        assert_eq!(error.to_string(), "127.0.0.1:1: connection refused; [::1]:1: connection refused");
        // What this machine lacks is no address's fault.
        let dialled = AtomicU64::new(0);
        let no_ports = async |_| {
            dialled.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(io::Error::from(io::ErrorKind::AddrNotAvailable))
        };
        let error = host.connect(0, |_| true, no_ports).await.unwrap_err();
        assert_eq!((io_class(&error), dialled.into_inner()), (&classes::NO_PORTS, 1));
    }

    #[tokio::test]
    async fn a_name_that_moves_is_followed() {
        let answers = Arc::new(Mutex::new(addresses(&[FOUR])));
        let told = Arc::clone(&answers);
        let resolve: Resolve = Arc::new(move || {
            let now = told.lock().clone();
            Box::pin(async move { Ok(now) })
        });
        let host = Addresses::renewed("h", resolve, Duration::from_millis(20)).await.unwrap();
        assert_eq!(host.current(), addresses(&[FOUR]));
        *answers.lock() = addresses(&["10.0.0.7:1"]);
        let patience = Instant::now() + Duration::from_secs(10);
        while host.current() != addresses(&["10.0.0.7:1"]) {
            assert!(Instant::now() < patience, "{:?}", host.current());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(
            host.targets().all(),
            addresses(&[FOUR, "10.0.0.7:1"]),
            "old sockets are still the players'"
        );
        // A resolver that fails or knows nothing takes nothing away.
        *answers.lock() = Vec::new();
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(host.current(), addresses(&["10.0.0.7:1"]));
    }

    #[tokio::test]
    async fn a_name_none_of_whose_addresses_answers_is_resolved_at_once() {
        let answers = Arc::new(Mutex::new(addresses(&[FOUR])));
        let told = Arc::clone(&answers);
        let resolve: Resolve = Arc::new(move || {
            let now = told.lock().clone();
            Box::pin(async move { Ok(now) })
        });
        let host = Addresses::renewed("h", resolve, Duration::from_secs(3_600)).await.unwrap();
        *answers.lock() = addresses(&["10.0.0.7:1"]);
        assert!(host.connect(0, |_| true, async |_| Err::<(), _>(refused())).await.is_err());
        let patience = Instant::now() + Duration::from_secs(10);
        while host.current() != addresses(&["10.0.0.7:1"]) {
            assert!(Instant::now() < patience, "{:?}", host.current());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
