//! Ctrl-C, SIGTERM and the terminal that goes away.

use output::Exit;
use tokio_util::sync::CancellationToken;

use crate::run::RunError;

/// Cancelled by the first interruption, which ends the run. The second, until the process has ended, ends it at once: what
/// was written stays, and the workers and the backend end with it.
pub(crate) fn first_interruption() -> Result<CancellationToken, RunError> {
    // Where there is a handler, goose does not install its own, which would end the process with another code.
    let _ = ctrlc::set_handler(|| {});
    let mut interruption = Interruption::listen()?;
    let first = CancellationToken::new();
    let heard = first.clone();
    tokio::spawn(async move {
        interruption.heard().await;
        heard.cancel();
        interruption.heard().await;
        std::process::exit(Exit::Interrupted.code().into());
    });
    Ok(first)
}

/// A terminal that is closed (SIGHUP) is a reader that has gone, and no order: from now on this process goes on, and keeps
/// everything, as under `nohup`. Who wants it to end sends SIGTERM.
pub(crate) fn outlive_the_terminal() -> Result<(), RunError> {
    use tokio::signal::unix::{SignalKind, signal};
    // The handler stays for the life of the process, whether or not anybody listens.
    signal(SignalKind::hangup()).map(drop).map_err(deaf)
}

fn deaf(error: std::io::Error) -> RunError {
    RunError::Goose(format!("signals cannot be heard: {error}"))
}

/// Ctrl-C and SIGTERM.
pub(crate) struct Interruption {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Interruption {
    pub(crate) fn listen() -> Result<Self, RunError> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(deaf)?,
            terminate: signal(SignalKind::terminate()).map_err(deaf)?,
        })
    }

    pub(crate) async fn heard(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
