//! How a process is started that cannot outlive the stack.
//!
//! The kernel can be asked to kill a process when its parent ends, whatever the parent dies of. A process can only ask
//! for itself, though, and a foreign executable does not; so a launcher asks, and then becomes the executable.
//! For the kernel, the parent is the *thread* that started the child, hence a thread that lives as long as the stack.

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

type Order = (Command, oneshot::Sender<io::Result<Child>>);

/// The thread that starts processes. When this is dropped it ends, and they with it.
pub(super) struct Spawner(mpsc::Sender<Order>);

impl Spawner {
    /// Must be called inside a tokio runtime.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Handle::current();
        let (orders, queue) = mpsc::channel::<Order>();
        thread::Builder::new().name("spawner".into()).spawn(move || {
            let _inside = runtime.enter();
            for (mut command, started) in queue {
                // A child that nobody waits for any more is killed as it is dropped.
                let _ = started.send(command.spawn());
            }
        })?;
        Ok(Self(orders))
    }

    pub(super) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let ended = || io::Error::other("the thread that starts processes has ended");
        let (started, child) = oneshot::channel();
        self.0.send((command, started)).map_err(|_| ended())?;
        child.await.map_err(|_| ended())?
    }
}

/// The launcher: becomes another program, which is killed when its parent ends.
#[derive(Debug, Clone, clap::Args)]
pub struct Launch {
    /// Process id of the parent.
    #[arg(long)]
    parent: i32,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Becomes the program.
///
/// # Errors
/// Returns only if that failed.
pub fn launch(args: &Launch) -> Result<Infallible, io::Error> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have died before it could be watched.
    if getppid() != Pid::from_raw(args.parent) {
        return Err(io::Error::other("the local stack has ended"));
    }
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(io::Error::other("there is no program to start"));
    };
    Err(std::process::Command::new(program).args(arguments).exec())
}
