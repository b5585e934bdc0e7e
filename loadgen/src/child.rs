//! A child process that runs this very program: the embedded backend, a worker, a run of a capacity search.
//!
//! Each has a process group of its own, so that Ctrl-C on the terminal stops the parent, and the parent its children. A
//! child is killed when its value is dropped. However the parent dies, SIGKILL included, a child that serves it ends by
//! itself: it watches its standard input, which the parent holds open and never closes before.

use std::io;
use std::process::{ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{ChildStdout, Command};

/// A running child; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Child(tokio::process::Child);

/// A command that runs this program; its standard input and output are closed unless they are set.
pub(crate) fn command() -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).kill_on_drop(true);
    Ok(command)
}

impl Child {
    /// Starts a [`command`]; must be called inside a runtime.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// Its id; 0 once it has ended.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id().unwrap_or(0)
    }

    /// What it prints, where that is a pipe; once.
    pub(crate) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    /// What it has printed when it ends, and how it does. `input` is written to its standard input, where that is a pipe;
    /// each time `interrupted` resolves, it is sent SIGINT.
    pub(crate) async fn output(
        mut self,
        input: Option<&str>,
        mut interrupted: impl AsyncFnMut(),
    ) -> io::Result<Output> {
        if let (Some(mut stdin), Some(text)) = (self.0.stdin.take(), input) {
            // A child that does not read to the end says why it ended.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, text.as_bytes()).await;
        }
        let pid = self.0.id().and_then(|id| Pid::from_raw(id as i32));
        let mut ended = std::pin::pin!(self.0.wait_with_output());
        loop {
            tokio::select! {
                output = &mut ended => return output,
                () = interrupted() => {
                    if let Some(pid) = pid {
                        // If it has ended meanwhile, its output is read next.
                        let _ = kill_process(pid, Signal::INT);
                    }
                }
            }
        }
    }

    /// Closes its standard input and waits for its end; returns whether it ended within `patience`, and kills it if not.
    pub(crate) async fn stop(mut self, patience: Duration) -> bool {
        drop(self.0.stdin.take());
        tokio::time::timeout(patience, self.0.wait()).await.is_ok()
    }

    /// How it has ended, once it has; blocks for `patience` at most.
    pub(crate) fn exit_status(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                _ => return None,
            }
        }
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.0.start_kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        // Whatever started the tests may have SIGINT ignored.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", "sleep", "60"]).process_group(0).kill_on_drop(true);
        Child::start(command).unwrap()
    }

    #[tokio::test]
    async fn how_a_child_ended_is_told() {
        let mut child = sleeper();
        assert!(child.pid() > 0 && child.exit_status(Duration::ZERO).is_none());
        child.kill();
        let status = child.exit_status(Duration::from_secs(10)).unwrap();
        assert!(status.to_string().contains("SIGKILL"), "{status}");
    }

    #[tokio::test]
    async fn an_interruption_reaches_the_child() {
        // Again and again: at first `env` may not have set SIGINT to its default yet.
        let interrupt = async || tokio::time::sleep(Duration::from_millis(50)).await;
        let output = sleeper().output(None, interrupt).await.unwrap();
        assert!(output.status.to_string().contains("SIGINT"), "{}", output.status);
    }
}
