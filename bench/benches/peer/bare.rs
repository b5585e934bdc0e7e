//! The bare client: one tokio-tungstenite task per socket, as its documentation has it, and no figure but counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use futures_util::{SinkExt as _, StreamExt as _};
use procfs::process::Process;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::backend::cpu;

/// What a client did in one second.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Second {
    /// Sockets open at its end.
    pub(crate) open: u64,
    /// Answers that came.
    pub(crate) replies: u64,
    /// Processor time, in seconds.
    pub(crate) cpu: f64,
    /// Resident bytes at its end.
    pub(crate) resident: u64,
}

/// What the bare client is to do.
#[derive(Debug, Args)]
pub(crate) struct Bare {
    #[arg(long)]
    pub(crate) url: String,
    #[arg(long)]
    pub(crate) sockets: u32,
    #[arg(long)]
    pub(crate) connect_rate: f64,
    /// After the last handshake.
    #[arg(long)]
    pub(crate) seconds: u64,
    /// Each socket asks, waits for the answer, and asks again; else it is silent.
    #[arg(long)]
    pub(crate) ask: bool,
}

#[derive(Default)]
struct Counts {
    open: AtomicU64,
    replies: AtomicU64,
    begun: AtomicBool,
    begin: Notify,
}

/// Plays, and prints a line of JSON for each [`Second`].
pub(crate) async fn play(bare: Bare) {
    let counts = Arc::new(Counts::default());
    let mut handshakes = tokio::time::interval(Duration::from_secs_f64(1.0 / bare.connect_rate));
    let url: Arc<str> = bare.url.into();
    let (sockets, ask) = (bare.sockets, bare.ask);
    let opening = Arc::clone(&counts);
    tokio::spawn(async move {
        for number in 0..sockets {
            handshakes.tick().await;
            let (url, counts) = (Arc::clone(&url), Arc::clone(&opening));
            tokio::spawn(async move { socket(&url, number, ask, &counts).await.expect("a socket") });
        }
    });
    let mut left = bare.seconds;
    let (mut replies, mut cpu) = (0, spent());
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.tick().await;
    while left > 0 {
        tick.tick().await;
        let (open, replied, spent) =
            (counts.open.load(Ordering::Relaxed), counts.replies.load(Ordering::Relaxed), spent());
        let resident =
            Process::myself().and_then(|process| process.stat()).expect("procfs").rss * procfs::page_size();
        let second = Second { open, replies: replied - replies, cpu: spent - cpu, resident };
        println!("{}", serde_json::to_string(&second).expect("numbers"));
        (replies, cpu) = (replied, spent);
        if open == u64::from(sockets) {
            counts.begun.store(true, Ordering::SeqCst);
            counts.begin.notify_waiters();
            left -= 1;
        }
    }
}

async fn socket(url: &str, number: u32, ask: bool, counts: &Counts) -> Result<(), Error> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("x-player-id", HeaderValue::try_from(format!("player-{number}"))?);
    // As small as its memory gets; the default of 128 KiB a socket would be no comparison.
    let config = WebSocketConfig::default().read_buffer_size(512);
    let address = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    counts.open.fetch_add(1, Ordering::Relaxed);
    if ask {
        let begin = counts.begin.notified();
        if !counts.begun.load(Ordering::SeqCst) {
            begin.await;
        }
        for id in 0_u64.. {
            socket.send(Message::text(format!(r#"{{"route":"nobody","id":"{id}"}}"#))).await?;
            match socket.next().await {
                Some(Ok(Message::Text(_))) => counts.replies.fetch_add(1, Ordering::Relaxed),
                other => panic!("no answer: {other:?}"),
            };
        }
    }
    while let Some(frame) = socket.next().await {
        frame?;
    }
    Ok(())
}

/// Processor time so far, in seconds.
fn spent() -> f64 {
    cpu(&Process::myself().expect("procfs")).as_secs_f64()
}
