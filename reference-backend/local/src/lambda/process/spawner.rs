//! Starts processes that cannot outlive the stack.
//!
//! The kernel kills a process when its parent ends, even by SIGKILL, if the process has set its parent death signal
//! (`PR_SET_PDEATHSIG`). Only the process itself can set it, so a launcher sets it and then executes the function's
//! executable. For the kernel the parent is the *thread* that started the child, so one thread that lives as long as the
//! stack starts them all.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::sync::mpsc;
use std::thread;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

type SpawnRequest = (Command, oneshot::Sender<io::Result<Child>>);

/// The thread that starts processes. Dropping this ends the thread and its processes.
pub(super) struct Spawner(mpsc::Sender<SpawnRequest>);

impl Spawner {
    /// Must be called inside a tokio runtime.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Handle::current();
        let (requests, queue) = mpsc::channel::<SpawnRequest>();
        thread::Builder::new().name("spawner".into()).spawn(move || {
            let _inside = runtime.enter();
            for (mut command, started) in queue {
                // If the caller has gone, the child is dropped and thereby killed.
                let _ = started.send(command.spawn());
            }
        })?;
        Ok(Self(requests))
    }

    pub(super) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let ended = || io::Error::other("the thread that starts processes has ended");
        let (started, child) = oneshot::channel();
        self.0.send((command, started)).map_err(|_| ended())?;
        child.await.map_err(|_| ended())?
    }
}

/// The launcher: executes another program, which is killed when its parent ends.
#[derive(Debug, Clone, clap::Args)]
pub struct Launch {
    /// Process id of the parent.
    #[arg(long)]
    parent: i32,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Executes the program in this process.
///
/// # Errors
/// Returns only if that failed.
pub fn launch(args: &Launch) -> Result<Infallible, io::Error> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have ended before the signal was set.
    if getppid() != Pid::from_raw(args.parent) {
        return Err(io::Error::other("the local stack has ended"));
    }
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(io::Error::other("there is no program to start"));
    };
    Err(std::process::Command::new(program).args(arguments).exec())
}
