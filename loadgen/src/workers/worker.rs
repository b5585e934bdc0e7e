//! A worker's process: prepares its part of the plan, and carries it out as the run tells it.

use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread;

use output::Exit;
use parking_lot::Mutex;
use scenarios::plan::shard::Shard;
use scenarios::{Mistakes, Override};
use tokio::sync::watch;
use url::Url;

use super::link::{receive, send};
use super::messages::{Assignment, ToRun, ToWorker};
use super::part;
use crate::auth::{AuthError, Credentials};
use crate::clock::{Clock, monotonic};
use crate::delivery::relay::Relay;
use crate::generate::error::GenerateError;
use crate::generate::generation::{Generation, Setup};
use crate::generate::stage::Stage;
use crate::health::machine;
use crate::player::{Endpoint, EndpointError, Play, Rest, Targets, peers};

/// Why a worker's process could not do its part; the run names the worker.
#[derive(Debug, thiserror::Error)]
enum WorkerError {
    #[error("its threads could not be started: {0}; raise the limit of processes (`ulimit -u`)")]
    Threads(#[source] io::Error),
    #[error("it cannot receive from the run: {0}; raise the limit of open files (`ulimit -n`)")]
    Stream(#[source] io::Error),
    #[error("there is no worker {index} of {count}; this is a fault of loadgen, please report it")]
    NoSuchPart { index: u32, count: u32 },
    #[error("`{url}` is no URL: {source}; this is a fault of loadgen, please report it")]
    Url { url: String, source: url::ParseError },
    #[error("{0}")]
    Scenario(#[from] Mistakes),
    #[error("{0}")]
    Endpoint(#[from] EndpointError),
    #[error("{0}")]
    Auth(#[from] AuthError),
    #[error("{0}")]
    Generate(#[from] GenerateError),
}

/// The stream to the run, which several threads write to.
type Stream = Arc<Mutex<UnixStream>>;

/// Is a worker's process: what `run --workers` starts, and nobody else. `threads` serve the sockets.
#[must_use]
pub fn work(threads: usize) -> ExitCode {
    let Ok((stream, Some(ToWorker::Assignment(assignment)))) = first_message() else {
        output::say("error: a worker is started by `loadgen run --workers N`, and not by hand");
        return Exit::Usage.into();
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let ended = runtime.map_err(WorkerError::Threads).and_then(|runtime| {
        let ended = runtime.block_on(carry_out(*assignment, &stream));
        // A task that does not end must not keep the process: everything has been sent.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(()) => Exit::Fine.into(),
        Err(error) => {
            // If the run is gone, nobody needs it.
            let _ = send(&*stream.lock(), &ToRun::Failed(error.to_string()));
            Exit::Failure.into()
        }
    }
}

fn first_message() -> io::Result<(Stream, Option<ToWorker>)> {
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Unbuffered: what follows the first frame is for another reader.
    let message = receive(&mut stream)?;
    Ok((Arc::new(Mutex::new(stream)), message))
}

async fn carry_out(assignment: Assignment, stream: &Stream) -> Result<(), WorkerError> {
    let inbox = Inbox::open(stream)?;
    let setup = prepare(assignment).await?;
    let generation = Generation::prepare(setup).await?;
    // From now on the messages of other workers reach the players.
    let _ = inbox.play.set(Arc::clone(&generation.play));
    let outbox = Arc::clone(stream);
    let send = move |message| {
        // When the run is gone, the inbox ends this process.
        let _ = send(&*outbox.lock(), &message);
    };
    // The kernel's queues are the machine's, and looked at by the run.
    Ok(part::carry_out(generation, Targets::default(), inbox.stage, send).await?)
}

/// Everything that this worker's part needs.
async fn prepare(assignment: Assignment) -> Result<Setup, WorkerError> {
    let Assignment { index, count, file, text, overrides, run, url, issuer, rest } = assignment;
    let shard = Shard::new(index, count).ok_or(WorkerError::NoSuchPart { index, count })?;
    let overrides: Vec<_> = overrides.into_iter().map(|(key, value)| Override { key, value }).collect();
    let plan = Arc::new(scenarios::check(&file, &text, &overrides)?.plan);
    let parse =
        |url: String| Url::parse(&url).map_err(|source| WorkerError::Url { url: url.clone(), source });
    machine::raise_descriptor_limit();
    let issuer = issuer.map(parse).transpose()?;
    let rest = rest.map(parse).transpose()?;
    let clock = Clock::default();
    Ok(Setup {
        shard,
        clock: clock.clone(),
        run,
        endpoint: Endpoint::prepare(
            &parse(url)?,
            &plan.way,
            &plan.protocol,
            &plan.source_addresses,
            plan.players,
        )
        .await?,
        credentials: Credentials::prepare(&plan, shard, issuer.as_ref()).await?,
        relay: Some(Arc::new(Relay::new(shard, clock))),
        rest: rest.as_ref().map(|rest| Rest::new(rest, &plan.way)).transpose()?,
        tap: None,
        plan,
    })
}

/// What is received from the run.
struct Inbox {
    stage: watch::Receiver<Stage>,
    /// The players, once there are any: the messages of other workers are for them.
    play: Arc<OnceLock<Arc<Play>>>,
}

impl Inbox {
    /// Receives on a thread of its own: a question for the clock must not wait for an event loop.
    fn open(stream: &Stream) -> Result<Self, WorkerError> {
        let incoming = stream.lock().try_clone().map_err(WorkerError::Stream)?;
        let (stages, stage) = watch::channel(Stage::Preparing);
        let inbox = Self { stage, play: Arc::default() };
        let (play, outbox) = (Arc::clone(&inbox.play), Arc::clone(stream));
        thread::spawn(move || {
            let mut incoming = BufReader::with_capacity(64 * 1024, incoming);
            while let Ok(Some(message)) = receive(&mut incoming) {
                let play = || play.get().filter(|_| !matches!(*stages.borrow(), Stage::Stopped(_)));
                match message {
                    ToWorker::ClockQuestion { asked } => {
                        let received = monotonic();
                        let stream = outbox.lock();
                        let answer = ToRun::ClockAnswer { asked, received, answered: monotonic() };
                        let _ = send(&*stream, &answer);
                    }
                    ToWorker::Stage(stage) => {
                        stages.send_replace(stage);
                    }
                    ToWorker::PeerUpdate(update) => {
                        if let Some(play) = play() {
                            peers::apply(play, &update);
                        }
                    }
                    ToWorker::WorkerLost { worker } => {
                        if let Some(play) = play() {
                            peers::lost(play, worker);
                        }
                    }
                    // The first message, which has been read.
                    ToWorker::Assignment(_) => {}
                }
            }
            // The run is gone: so is its load, at once and whatever else this process is doing.
            std::process::exit(Exit::Failure.code().into());
        });
        Ok(inbox)
    }
}
