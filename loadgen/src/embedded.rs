//! The embedded backend: the reference backend's local stack as a child of this very program.
//!
//! A process of its own, so that the generator's CPU, memory and descriptors are the generator's, and a busy
//! backend does not sit in the generator's event loop. It ends when its standard input closes: however this
//! process dies, the child does not stay behind.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use url::Url;

use crate::child::{self, Child};
use crate::health::machine::descriptor_limit;

/// What stands for the embedded backend in a manifest.
pub(crate) const EMBEDDED: &str = "embedded";

/// The hidden command under which this program is the backend.
pub const COMMAND: &str = "embedded-backend";

/// Players whose sockets one process of the backend holds at most; beyond that it has front doors.
const PLAYERS_PER_PROCESS: u64 = 18_000;
/// How long the backend may take to be ready.
const READY: Duration = Duration::from_secs(30);
/// How long it may take to end.
const GONE: Duration = Duration::from_secs(5);

/// Where the backend listens, as its first line of output has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Endpoints {
    /// The socket to play on.
    pub websocket: Url,
    /// The REST API.
    pub rest: Url,
    /// The CloudWatch API.
    pub cloudwatch: Url,
    /// The identity provider.
    pub identity: Url,
}

/// A backend that did not start.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The process could not be started.
    #[error("the embedded backend could not be started: {0}")]
    Spawn(#[from] std::io::Error),
    /// It ended, or printed something else than its endpoints.
    #[error("the embedded backend was not ready within {seconds} s or ended before; its messages are above", seconds = READY.as_secs())]
    NotReady,
}

/// A running backend; it ends with this value.
pub struct Embedded {
    child: Child,
    /// Where it listens.
    pub endpoints: Endpoints,
}

impl Embedded {
    /// Starts the backend and waits until it is ready.
    ///
    /// # Errors
    /// [`EmbeddedError`].
    pub async fn start(profile: &str, auth: &str, seed: u64, players: u32) -> Result<Self, EmbeddedError> {
        // A tenth of the open files is the backend's own.
        let room = (descriptor_limit() / 10 * 9).clamp(1, PLAYERS_PER_PROCESS);
        let doors = u64::from(players).div_ceil(room);
        let front_doors = (doors > 1).then(|| ["--front-doors".to_owned(), doors.to_string()]);
        let unpacked = unpack(profile)?;
        let profile = unpacked.as_ref().map_or(profile, |(path, _)| path);
        let mut command = child::command()?;
        command
            .args([COMMAND, "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--exit-with-parent"])
            .args(["--profile", profile, "--auth", auth, "--seed", &seed.to_string()])
            .args(front_doors.into_iter().flatten())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = Child::start(command)?;
        let stdout = child.take_stdout().ok_or(EmbeddedError::NotReady)?;
        let mut ready = BufReader::new(stdout).lines();
        let line =
            tokio::time::timeout(READY, ready.next_line()).await.map_err(|_| EmbeddedError::NotReady)??;
        let endpoints =
            line.and_then(|line| serde_json::from_str(&line).ok()).ok_or(EmbeddedError::NotReady)?;
        Ok(Self { child, endpoints })
    }

    /// Asks the backend to end, and kills it if it does not.
    pub async fn stop(self) {
        if !self.child.stop(GONE).await {
            tracing::warn!("the embedded backend did not end by itself and was killed");
        }
    }
}

/// A profile that ships, as a file that the backend can read until it is ready: in memory, since there is none on disk.
/// Nothing where the profile is another, or a file of that name is there.
fn unpack(profile: &str) -> std::io::Result<Option<(String, File)>> {
    let Some(text) = scenarios::shipped::profile(profile).filter(|_| !Path::new(profile).is_file()) else {
        return Ok(None);
    };
    let mut file = File::from(rustix::fs::memfd_create("profile", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    Ok(Some((format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()), file)))
}
