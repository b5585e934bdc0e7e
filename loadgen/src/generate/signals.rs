//! Ctrl-C, SIGTERM, and a terminal that is closed.

use output::Exit;
use tokio_util::sync::CancellationToken;

use super::error::GenerateError;

/// Cancelled by the first interruption, which ends the run. The second, until the process has ended, ends it at once: what
/// was written stays, and the workers and the backend end with it.
pub(crate) fn first_interruption() -> Result<CancellationToken, GenerateError> {
    // Where there is a handler, goose does not install its own, which would end the process with another code.
    let _ = ctrlc::set_handler(|| {});
    let mut interruption = Interruption::listen()?;
    let first = CancellationToken::new();
    let received = first.clone();
    tokio::spawn(async move {
        interruption.received().await;
        received.cancel();
        interruption.received().await;
        std::process::exit(Exit::Interrupted.code().into());
    });
    Ok(first)
}

/// From now on a terminal that is closed (SIGHUP) does not end this process, as under `nohup`; SIGTERM does.
pub(crate) fn outlive_the_terminal() -> Result<(), GenerateError> {
    use tokio::signal::unix::{SignalKind, signal};
    // The handler stays for the life of the process, whether or not anybody listens.
    signal(SignalKind::hangup()).map(drop).map_err(GenerateError::Signals)
}

/// Ctrl-C and SIGTERM.
pub(crate) struct Interruption {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Interruption {
    pub(crate) fn listen() -> Result<Self, GenerateError> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(GenerateError::Signals)?,
            terminate: signal(SignalKind::terminate()).map_err(GenerateError::Signals)?,
        })
    }

    pub(crate) async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
