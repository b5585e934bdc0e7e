//! The backend as a process, what it uses, and who may come in.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use procfs::process::{Process, all_processes};
use reference_backend_local::stack::Endpoints;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

/// The command under which this program is the backend.
pub(crate) const BACKEND: &str = "serve";

/// How players prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    Header,
    Token,
}

impl Auth {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Token => "token",
        }
    }
}

/// A running backend; it ends with this value.
pub(crate) struct Backend {
    pub(crate) endpoints: Endpoints,
    child: Child,
}

/// What the backend has used so far.
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// Resident bytes of the stack's process.
    pub(crate) stack: u64,
    /// Resident bytes of its front doors.
    pub(crate) doors: u64,
}

impl Backend {
    /// Starts it, on core 0 if it is `pinned`.
    pub(crate) async fn start(
        auth: Auth,
        front_doors: Option<usize>,
        data: Option<&Path>,
        pinned: bool,
    ) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = if pinned {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args([
            BACKEND,
            "--listen",
            "127.0.0.1:0",
            "--http-listen",
            "127.0.0.1:0",
            "--exit-with-parent",
        ]);
        command.args(["--workers", "1", "--auth", auth.word()]).env("RUST_LOG", "error");
        command.args(front_doors.map(|count| format!("--front-doors={count}")));
        if let Some(directory) = data {
            // What is left of another run is of no interest.
            command.args(["--data-wait", "0", "--data"]).arg(directory);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child =
            tokio::process::Command::from(command).kill_on_drop(true).spawn().expect("the backend starts");
        let mut ready = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = ready.next_line().await.expect("its output").expect("its endpoints");
        Self { endpoints: serde_json::from_str(&line).expect("its endpoints"), child }
    }

    /// Headers that let so many players in.
    pub(crate) async fn credentials(&self, auth: Auth, players: usize) -> Vec<(&'static str, String)> {
        let ids: Vec<_> = (0..players).map(player).collect();
        match auth {
            Auth::Header => ids.into_iter().map(|id| ("x-player-id", id)).collect(),
            Auth::Token => {
                #[derive(serde::Deserialize)]
                struct Tokens {
                    tokens: Vec<String>,
                }
                let url = format!("{}/tokens", self.endpoints.identity);
                let request = reqwest::Client::new().post(url).json(&json!({ "playerIds": ids }));
                let Tokens { tokens } =
                    request.send().await.expect("an answer").json().await.expect("tokens");
                tokens.into_iter().map(|token| ("authorization", format!("Bearer {token}"))).collect()
            }
        }
    }

    /// Open descriptors of the stack's process and of each front door.
    pub(crate) fn descriptors(&self) -> (usize, Vec<usize>) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        let count = |process: &Process| process.fd_count().unwrap_or_default();
        let own = Process::new(pid).as_ref().map_or(0, count);
        let processes = all_processes().expect("procfs").flatten();
        let doors = processes.filter(|process| process.stat().is_ok_and(|stat| stat.ppid == pid));
        (own, doors.map(|door| count(&door)).collect())
    }

    /// What it has used, with its front doors.
    pub(crate) fn usage(&self) -> Usage {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        let mut usage = Usage { cpu: Duration::ZERO, stack: 0, doors: 0 };
        let page = procfs::page_size();
        for process in all_processes().expect("procfs").flatten() {
            let Ok(stat) = process.stat() else { continue };
            let resident = stat.rss * page;
            match (stat.pid == pid, stat.ppid == pid) {
                (true, _) => usage.stack += resident,
                (_, true) => usage.doors += resident,
                _ => continue,
            }
            usage.cpu += cpu(&process);
        }
        usage
    }
}

/// What a process has used, to the nanosecond, which the ticks of `stat` are not.
pub(crate) fn cpu(process: &Process) -> Duration {
    let tasks = process.tasks().into_iter().flatten().flatten();
    let spent = tasks.filter_map(|task| task.schedstat().ok()).map(|stat| stat.sum_exec_runtime);
    Duration::from_nanos(spent.sum())
}

/// The id of a player.
pub(crate) fn player(number: usize) -> String {
    format!("player-{number:06}")
}

/// Keeps this process, and what it starts, on a core.
pub(crate) fn pin_self(core: usize) {
    let id = std::process::id().to_string();
    let pinned = Command::new("taskset").args(["-cp", &core.to_string(), &id]).stdout(Stdio::null()).status();
    assert!(pinned.is_ok_and(|status| status.success()), "cannot pin to core {core}; try --unpinned");
}
