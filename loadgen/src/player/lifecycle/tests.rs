use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::SinkExt as _;
use protocol::Outline;
use protocol::outline::Close;
use scenarios::plan::shard::Shard;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use url::Url;

use super::*;
use crate::auth::Credentials;
use crate::clock::{Clock, monotonic};
use crate::delivery::Deliveries;
use crate::player::handshake::Endpoint;
use crate::player::roster::Players;
use crate::player::shared::Play;
use crate::player::test_protocol::TestProtocol;
use crate::record::ThreadTally;

const TOKEN: &str = "MARKERofAnOpaqueTicket";
/// Long enough for a player to do what it should not do.
const A_MOMENT: Duration = Duration::from_millis(300);

/// A backend that ends every socket as soon as it is open, and counts them.
struct Backend {
    url: Url,
    sockets: Arc<AtomicU32>,
}

impl Backend {
    async fn closing_with(code: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let sockets = Arc::new(AtomicU32::new(0));
        let opened = Arc::clone(&sockets);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                opened.fetch_add(1, Ordering::SeqCst);
                let reason = format!("bad ticket {TOKEN}").into();
                let close = Message::Close(Some(CloseFrame { code: code.into(), reason }));
                let _ = socket.send(close).await;
            }
        });
        Self { url, sockets }
    }

    /// Player 0 of those whose codes mean this and who reconnect so.
    async fn player(&self, codes: &[(u16, Close)], reconnect: &str) -> PlayerContext {
        let text = format!(
            "name = \"l\"\nplayers = 1\n[target]\nurl = \"{}\"\n{reconnect}\n\
             [auth.command]\nargv = [\"echo\", \"{TOKEN}.{{player}}\"]\n\
             [[phases]]\nkind = \"hold\"\nduration = \"1m\"\n",
            self.url
        );
        let checked = scenarios::check("l.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let plan = Arc::new(checked.plan);
        let outline = Outline { close: codes.iter().cloned().collect(), ..Outline::default() };
        let credentials = Credentials::for_protocol(&plan, &outline, Shard::WHOLE, None).await.unwrap();
        let protocol = TestProtocol { outline, handshake: None }.shared();
        let endpoint = Endpoint::prepare(&self.url, &plan.way, &protocol, &[], 1).await.unwrap();
        let clock = Clock::default();
        clock.start_at(monotonic());
        let deliveries = Deliveries::new(&plan, 1, None);
        let play = Play::new(plan, clock, Players::new(1), endpoint, credentials, deliveries, None);
        PlayerContext::without_goose(Arc::new(play), 0)
    }

    fn sockets(&self) -> u32 {
        self.sockets.load(Ordering::SeqCst)
    }
}

/// What the protocol has for a code.
fn close(class: &str, retry: Retry) -> Close {
    Close { class: class.into(), retry }
}

async fn first_socket(player: &PlayerContext) -> Option<Socket> {
    connect(player).await.ok()
}

fn seen(player: &PlayerContext) -> ThreadTally {
    let (mut total, mut spare) = <(ThreadTally, ThreadTally)>::default();
    player.observer.recorder().drain(&mut total, &mut spare);
    total
}

/// How the sockets ended.
fn ends(tally: &ThreadTally) -> Vec<(&str, u64)> {
    tally.disruptions.ends.iter().collect()
}

#[tokio::test]
async fn a_player_stays_away_where_the_protocol_says_so() {
    let backend = Backend::closing_with(4401).await;
    let policy = "[reconnect]\npolicy = \"constant\"\nbase = \"1ms\"";
    let player = backend.player(&[(4401, close("unauthorized", Retry::No))], policy).await;
    live(&player, &mut first_socket(&player).await).await;
    assert_eq!(backend.sockets(), 1);
    let tally = seen(&player);
    assert_eq!(ends(&tally), [("unauthorized", 1)]);
    assert_eq!(tally.disruptions.reconnects.wanted, 0);
    let all = format!("{tally:?}");
    assert!(all.contains("bad ticket [credential]") && !all.contains("MARKER"), "{all}");
}

#[tokio::test]
async fn a_player_comes_back_at_once_but_not_as_fast_as_it_can() {
    let backend = Backend::closing_with(1012).await;
    let restart = [(1012, close("restart", Retry::AtOnce))];
    let player = backend.player(&restart, "").await;
    live(&player, &mut first_socket(&player).await).await;
    assert_eq!(backend.sockets(), 2, "there is no policy for a second time");
    let tally = seen(&player);
    assert_eq!(ends(&tally), [("restart", 2)]);
    let reconnects = &tally.disruptions.reconnects;
    assert_eq!((reconnects.wanted, reconnects.attempts, reconnects.succeeded), (1, 1, 1));

    let policy = "[reconnect]\npolicy = \"constant\"\nbase = \"1h\"";
    let player = backend.player(&restart, policy).await;
    let mut socket = first_socket(&player).await;
    let waited = tokio::time::timeout(A_MOMENT, live(&player, &mut socket)).await;
    assert!(waited.is_err(), "it waits for an hour");
    assert_eq!(backend.sockets(), 4);
}

#[tokio::test]
async fn another_code_is_left_to_the_policy() {
    let backend = Backend::closing_with(4000).await;
    let policy = "[reconnect]\npolicy = \"constant\"\nbase = \"1h\"";
    let player = backend.player(&[(4401, close("unauthorized", Retry::No))], policy).await;
    let mut socket = first_socket(&player).await;
    assert!(tokio::time::timeout(A_MOMENT, live(&player, &mut socket)).await.is_err());
    let tally = seen(&player);
    assert_eq!((ends(&tally), tally.disruptions.reconnects.wanted), (vec![("closed_4000", 1)], 1));
}

#[tokio::test]
async fn sockets_that_never_were_ready_are_failed_attempts() {
    let backend = Backend::closing_with(1000).await;
    let policy = "[reconnect]\npolicy = \"constant\"\nbase = \"1ms\"\nmax_attempts = 2";
    let player = backend.player(&[], policy).await;
    assert_eq!(player.play.plan.disruptions.reconnect.max_attempts, Some(2));
    let lost = |attempts| NoSocket::Lost(Lost { unready: true, attempts, ..Lost::new(0) });
    let (socket, attempts) = come_back(&player, 0, lost(1), &mut None).await;
    assert!(socket.is_some() && attempts == 2);
    let (socket, _) = come_back(&player, 1, lost(2), &mut None).await;
    assert!(socket.is_none());
    let reconnects = seen(&player).disruptions.reconnects;
    assert_eq!((reconnects.wanted, reconnects.succeeded, reconnects.gave_up), (2, 1, 1));
}
