//! More sockets than one process may open: the clients are several processes, as the front doors are.
//!
//! Every player is sent a message through the whole path and must get it, so that each socket is known to be alive.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Instant;

use clap::Args;
use loadgen::health::machine::raise_descriptor_limit;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::backend::{Auth, Backend, player};
use super::clients::{Crowd, most_sockets};

/// The command under which this program is some of the clients.
pub(crate) const CLIENTS: &str = "clients";
/// Recipients of one message: as many as are looked up at once.
const RECIPIENTS: usize = 100;

/// Which clients a process is.
#[derive(Debug, Args)]
pub(crate) struct Clients {
    #[arg(long)]
    url: String,
    #[arg(long)]
    first: usize,
    #[arg(long)]
    count: usize,
}

/// Is some of the clients: connects, hears a message each, and stays until standard input ends.
pub(crate) fn be(clients: &Clients) {
    raise_descriptor_limit();
    let say = |word: &str| {
        println!("{word}");
        std::io::stdout().flush().expect("somebody listens");
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let ids = (clients.first..clients.first + clients.count).map(player);
        let credentials = ids.map(|id| ("x-player-id", id)).collect();
        let mut crowd = Crowd::with(&clients.url, credentials).await.expect("players connect");
        say("open");
        crowd.hear().await;
        say("heard");
        // Until the one who measures has seen enough.
        let _ = std::io::stdin().read(&mut [0]);
    });
}

/// Opens so many sockets and reaches every one of them; `per_process` is the most that one client process has.
pub(crate) async fn measure(backend: &Backend, sockets: usize, per_process: Option<usize>) -> String {
    let per_process = per_process.unwrap_or_else(most_sockets);
    let before = backend.usage();
    let begin = Instant::now();
    let mut processes: Vec<_> = (0..sockets)
        .step_by(per_process)
        .map(|first| start(&backend.endpoints.websocket, first, per_process.min(sockets - first)))
        .collect();
    for (_, lines) in &mut processes {
        expect(lines, "open").await;
    }
    let opened = begin.elapsed();
    let ((stack, doors), after) = (backend.descriptors(), backend.usage());

    let mut sender = Crowd::with(&backend.endpoints.websocket, vec![("x-player-id", "sender".into())]).await;
    let everyone: Vec<_> = (0..sockets).map(player).collect();
    sender.as_mut().expect("the sender connects").tell(&everyone, RECIPIENTS).await;
    for (_, lines) in &mut processes {
        expect(lines, "heard").await;
    }
    let kib = |after: u64, before: u64| (after as f64 - before as f64) / 1024.0 / sockets as f64;
    format!(
        "{sockets} sockets of {} client processes open after {:.1} s, each has had its message; open descriptors: {stack} in \
         the stack, {doors:?} in front doors; {:.2} KiB resident per idle socket in the stack, {:.2} in front doors",
        processes.len(),
        opened.as_secs_f64(),
        kib(after.stack, before.stack),
        kib(after.doors, before.doors),
    )
}

type Process = (Child, Lines<BufReader<ChildStdout>>);

fn start(url: &str, first: usize, count: usize) -> Process {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([CLIENTS, "--url", url, "--first", &first.to_string(), "--count", &count.to_string()]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
    let mut child = child.expect("clients start");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    (child, lines)
}

async fn expect(lines: &mut Lines<BufReader<ChildStdout>>, word: &str) {
    let line = lines.next_line().await.expect("its output");
    assert_eq!(line.as_deref(), Some(word), "clients have failed");
}

/// Players are let in by their id alone: it is sockets that are counted here.
pub(crate) const AUTH: Auth = Auth::Header;
