//! The worker's side: prepares its part of the plan, begins when it is told to, tells each second, ends when it is told to.

use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use output::Exit;
use parking_lot::Mutex;
use scenarios::Override;
use scenarios::plan::SWEEP;
use scenarios::shard::Shard;
use scenarios::threshold::Kind;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::link::{ToRun, ToWorker, Work, hear, say};
use crate::auth::Credentials;
use crate::clock::{Clock, monotonic};
use crate::delivery::relay::Passed;
use crate::delivery::relay::Relay;
use crate::generate::collector::Gathered;
use crate::generate::{Generation, Setup, Stopped};
use crate::health::machine;
use crate::player::{Endpoint, Play, Rest, Targets};
use crate::run::RunError;

/// How often the others are told what they should know.
const TELL: Duration = Duration::from_millis(25);

/// Is a worker: what `run --workers` starts, and nobody else. `threads` serve the sockets.
#[must_use]
pub fn work(threads: usize) -> ExitCode {
    let Ok((stream, Some(ToWorker::Work(work)))) = first_word() else {
        output::say("error: a worker is started by `loadgen run --workers N`, and not by hand");
        return Exit::Usage.into();
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let end = match runtime {
        Ok(runtime) => {
            let end = runtime.block_on(part(*work, &stream));
            // A task that does not end must not keep the process: everything has been told.
            runtime.shutdown_background();
            end
        }
        Err(error) => Err(RunError::Workers(format!("the runtime cannot be started: {error}"))),
    };
    match end {
        Ok(()) => Exit::Fine.into(),
        Err(error) => {
            // Nobody is there to hear it only if the run is over anyway.
            let _ = say(&*stream.lock(), &ToRun::Failed(error.to_string()));
            error.exit().into()
        }
    }
}

/// The stream, which several threads write to.
type Stream = Arc<Mutex<UnixStream>>;

fn first_word() -> io::Result<(Stream, Option<ToWorker>)> {
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Unbuffered: what follows the first frame is for another reader.
    let word = hear(&mut stream)?;
    Ok((Arc::new(Mutex::new(stream)), word))
}

async fn part(work: Work, stream: &Stream) -> Result<(), RunError> {
    let listener = Listener::start(stream)?;
    let no_part = || RunError::Workers(format!("there is no worker {} of {}", work.index, work.count));
    let shard = Shard::new(work.index, work.count).ok_or_else(no_part)?;
    let override_of = |(key, value): &(String, String)| Override { key: key.clone(), value: value.clone() };
    let overrides: Vec<_> = work.overrides.iter().map(override_of).collect();
    let plan = Arc::new(scenarios::check(&work.file, &work.text, &overrides)?.plan);
    let url = |text: &str| Url::parse(text).map_err(|error| RunError::Workers(format!("{text}: {error}")));
    machine::raise_descriptor_limit();
    let issuer = work.issuer.as_deref().map(url).transpose()?;
    let rest = work.rest.as_deref().map(url).transpose()?;
    let clock = Clock::default();
    let relay = Arc::new(Relay::new(shard, clock.clone()));
    let setup = Setup {
        shard,
        clock: clock.clone(),
        run: work.run,
        endpoint: Endpoint::prepare(&url(&work.url)?, &plan.way, &plan.source_addresses, plan.players)
            .await?,
        credentials: Credentials::prepare(&plan, shard, issuer.as_ref()).await?,
        relay: Some(Arc::clone(&relay)),
        rest: rest
            .as_ref()
            .zip(plan.poll.as_ref())
            .map(|(rest, poll)| Rest::new(rest, poll.every, &plan.way))
            .transpose()?,
        plan,
    };
    let mut generation = Generation::prepare(setup).await?;
    let begun = listener.play(&generation.play);
    tell(stream, &ToRun::Ready);
    let Ok(zero) = begun.await else { return Ok(()) };
    clock.start_at(zero);
    generation.begin();
    // The kernel's queues are the machine's, and looked at by the run.
    let collector = generation.collector(Targets::default());
    let (stop_collecting, stopped) = mpsc::channel();
    let seconds = Arc::clone(stream);
    let collecting = tokio::task::spawn_blocking(move || {
        collector.run(&stopped, |gathered, _| {
            let Gathered { second, tally, open, seen } = *gathered;
            tell(&seconds, &ToRun::Second { second, tally: Box::new(tally.clone()), open, seen });
        })
    });
    let over = CancellationToken::new();
    let telling = keep_telling(Arc::clone(stream), relay, over.clone());

    let mut sweep = tokio::time::interval(SWEEP);
    let mut quiet = false;
    loop {
        tokio::select! {
            _ = sweep.tick() => generation.sweep(),
            () = listener.stop.cancelled() => break,
        }
        let now = generation.has_nothing_left();
        if now != quiet {
            quiet = now;
            tell(stream, &ToRun::Quiet(quiet));
        }
    }
    generation.end(listener.why.get().copied().unwrap_or(Stopped::FromOutside)).await;
    drop(stop_collecting);
    let watched = collecting.await.map_err(|error| RunError::Workers(error.to_string()))?;
    over.cancel();
    // It sleeps for a moment at most.
    let _ = tokio::task::spawn_blocking(move || telling.join()).await;
    tell(stream, &ToRun::Done(watched));
    Ok(())
}

/// Says something to the run; when it is gone, the listener ends this process.
fn tell(stream: &Stream, value: &ToRun) {
    let _ = say(&*stream.lock(), value);
}

/// Tells the others on a thread of its own, which no busy event loop holds up.
fn keep_telling(stream: Stream, relay: Arc<Relay>, over: CancellationToken) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        while !over.is_cancelled() {
            thread::sleep(TELL);
            if let Some(told) = relay.take() {
                tell(&stream, &told);
            }
        }
    })
}

/// Hears what the run says, on a thread of its own: a question for the clock must not wait for an event loop.
struct Listener {
    play: Arc<OnceLock<Arc<Play>>>,
    begin: Arc<Mutex<Option<oneshot::Sender<Duration>>>>,
    stop: CancellationToken,
    /// Why it stops.
    why: Arc<OnceLock<Stopped>>,
}

impl Listener {
    fn start(stream: &Stream) -> Result<Self, RunError> {
        let heard = stream.lock().try_clone();
        let heard = heard.map_err(|error| RunError::Workers(format!("the run cannot be heard: {error}")))?;
        let (stop, why) = (CancellationToken::new(), Arc::default());
        let listener = Self { play: Arc::default(), begin: Arc::default(), stop, why };
        let (play, begin) = (Arc::clone(&listener.play), Arc::clone(&listener.begin));
        let (stop, answers) = (listener.stop.clone(), Arc::clone(stream));
        let why = Arc::clone(&listener.why);
        thread::spawn(move || {
            let mut heard = BufReader::with_capacity(64 * 1024, heard);
            while let Ok(Some(word)) = hear(&mut heard) {
                match word {
                    ToWorker::Ask { asked } => {
                        let heard = monotonic();
                        let stream = answers.lock();
                        let answer = ToRun::Answer { asked, heard, answered: monotonic() };
                        let _ = say(&*stream, &answer);
                    }
                    ToWorker::Begin { zero } => {
                        let _ = begin.lock().take().map(|begin| begin.send(zero));
                    }
                    ToWorker::Stop(stopped) => {
                        let _ = why.set(stopped);
                        stop.cancel();
                    }
                    ToWorker::Heard { .. } | ToWorker::Gone { .. } | ToWorker::Work(_) => {
                        if let Some(play) = play.get().filter(|_| !stop.is_cancelled()) {
                            play.hear(word);
                        }
                    }
                }
            }
            // The run is gone: so is its load, at once and whatever else this process is doing.
            std::process::exit(Exit::Failure.code().into());
        });
        Ok(listener)
    }

    /// From now on the words of other workers reach the players; resolves when the run begins.
    fn play(&self, play: &Arc<Play>) -> oneshot::Receiver<Duration> {
        let (begin, begun) = oneshot::channel();
        *self.begin.lock() = Some(begin);
        let _ = self.play.set(Arc::clone(play));
        begun
    }
}

impl Play {
    /// What other workers have to say.
    fn hear(&self, word: ToWorker) {
        let Some(relay) = &self.relay else { return };
        match word {
            ToWorker::Heard { from, until, changes, passed } => {
                changes.iter().for_each(|change| self.players.set_elsewhere(change));
                passed.iter().for_each(|passed| self.received_elsewhere(passed));
                // Last: what is due until then may now be given up.
                relay.heard(from, until);
            }
            ToWorker::Gone { worker } => {
                self.players.forget(worker);
                relay.heard(worker, u64::MAX);
            }
            _ => {}
        }
    }

    fn received_elsewhere(&self, passed: &Passed) {
        let Passed { send, recipient, at } = *passed;
        let lag = self.clock.now().saturating_sub(at);
        self.recorder.with(|tally| tally.relay_lag.record(lag));
        let receipt = self.messages.receive(self.messages.correlation(send), recipient, at);
        self.received(recipient, Kind::Message, receipt, at);
    }
}
