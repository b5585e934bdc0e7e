//! What one core of the backend carries: deliveries a second through the whole path, and handshakes a second.
//!
//! The backend is the real one, `reference-backend serve`, as a process of its own on a core of its own (this program,
//! started again, is that process); the clients are bare tokio-tungstenite on the other core. Processor time is the
//! backend's own, front doors included, so that it holds on a machine that is busy with other things, too.
//!
//! `cargo bench -p bench --bench load -- --help`. Without `--bench`, as `cargo test --benches` runs it, everything is done
//! once and small, and only that nothing is lost is looked at.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "read by whoever started it"
)]

mod backend;
mod clients;
mod sockets;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use backend::{Auth, BACKEND, Backend};
use clap::Parser;
use clients::Crowd;
use loadgen::health::machine::raise_descriptor_limit;
use reference_backend_local::gateway::front;
use reference_backend_local::serve;
use sockets::{CLIENTS, Clients};

/// Measures the backend's own ceiling.
#[derive(Debug, Parser)]
#[command(name = "load")]
struct Options {
    /// Set by `cargo bench`; without it, this is a smoke test.
    #[arg(long, hide = true)]
    bench: bool,
    /// What to measure [default: everything].
    #[arg(value_enum)]
    what: Vec<What>,
    /// How often; the median is the one to look at.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// How long messages are sent.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Players who send and receive messages.
    #[arg(long, default_value_t = 200)]
    players: usize,
    /// Recipients of each message.
    #[arg(long, default_value_t = 50)]
    fan_out: usize,
    /// Sockets that are opened.
    #[arg(long, default_value_t = 12_000)]
    sockets: usize,
    /// Processes that hold the sockets.
    #[arg(long)]
    front_doors: Option<usize>,
    /// Directory in which the backend keeps its tables.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Do not pin the backend to core 0 and the clients to core 1.
    #[arg(long)]
    unpinned: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Messages through tables, stream and pushes.
    Deliveries,
    /// Sockets opened with the player's id as a header.
    Header,
    /// Sockets opened with a signed token.
    Token,
    /// More sockets than one process may open: give --sockets and --front-doors.
    Sockets,
}

/// The command line of the backend, which is this program.
#[derive(Debug, Parser)]
enum Backstage {
    #[command(name = BACKEND)]
    Serve(Box<serve::Serve>),
    #[command(name = front::COMMAND)]
    FrontDoor,
    #[command(name = CLIENTS)]
    Clients(Clients),
}

fn main() {
    let first = std::env::args().nth(1);
    if first.is_some_and(|first| [BACKEND, front::COMMAND, CLIENTS].contains(&first.as_str())) {
        let outcome = match Backstage::parse() {
            Backstage::Clients(clients) => return sockets::be(&clients),
            Backstage::Serve(serve) => serve::run(*serve),
            Backstage::FrontDoor => serve::front_door(),
        };
        return outcome.unwrap_or_else(|error| {
            eprintln!("error: {error}");
            std::process::exit(error.exit().code().into());
        });
    }
    let mut options = Options::parse();
    if !options.bench {
        options = Options {
            repeats: 1,
            seconds: 0.2,
            players: 40,
            fan_out: 20,
            sockets: 100,
            unpinned: true,
            ..options
        };
    }
    if options.what.is_empty() {
        options.what = vec![What::Deliveries, What::Header, What::Token];
        if !options.bench {
            options.what.push(What::Sockets);
        }
    }
    if !options.unpinned {
        backend::pin_self(1);
    }
    raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for what in options.what.clone() {
        if what == What::Sockets {
            runtime.block_on(many_sockets(&options));
            continue;
        }
        let mut figures: Vec<Figure> =
            (0..options.repeats.max(1)).map(|_| runtime.block_on(measure(what, &options))).collect();
        figures.sort_by_key(|figure| figure.cpu);
        let median = &figures[figures.len() / 2];
        println!("{what:?}, median of {}: {}", figures.len(), median.text());
    }
}

/// One measurement.
struct Figure {
    things: &'static str,
    count: usize,
    took: Duration,
    /// The backend's processor time for one thing.
    cpu: Duration,
    /// Resident bytes more per socket: in the stack's process, and in the front doors.
    resident: Option<(f64, f64)>,
}

impl Figure {
    fn text(&self) -> String {
        let resident = self.resident.map_or_else(String::new, |(stack, doors)| {
            format!(
                ", {:.2} KiB resident per idle socket in the stack, {:.2} in front doors",
                stack / 1024.0,
                doors / 1024.0
            )
        });
        format!(
            "{:.0} {} a second by the clock, {:.0} per processor second, {:.1} µs of the backend each{resident}",
            self.count as f64 / self.took.as_secs_f64(),
            self.things,
            1.0 / self.cpu.as_secs_f64(),
            self.cpu.as_secs_f64() * 1e6,
        )
    }
}

async fn measure(what: What, options: &Options) -> Figure {
    let auth = if what == What::Token { Auth::Token } else { Auth::Header };
    let backend = Backend::start(auth, options.front_doors, options.data.as_deref(), !options.unpinned).await;
    let figure = match what {
        What::Deliveries => deliveries(&backend, options).await,
        What::Header | What::Token | What::Sockets => handshakes(&backend, auth, options).await,
    };
    println!("  {what:?}: {}", figure.text());
    figure
}

/// Messages as fast as they are delivered; every one must arrive.
async fn deliveries(backend: &Backend, options: &Options) -> Figure {
    let mut crowd = Crowd::open(backend, Auth::Header, options.players).await.expect("players connect");
    let sending = Duration::from_secs_f64(options.seconds);
    // What happens once is not to be measured.
    crowd.deliver(sending / 10, options.fan_out).await;
    let (cpu, begin) = (backend.usage().cpu, Instant::now());
    let count = crowd.deliver(sending, options.fan_out).await;
    let took = begin.elapsed();
    let cpu = (backend.usage().cpu - cpu) / u32::try_from(count).expect("a sensible number");
    Figure { things: "deliveries", count, took, cpu, resident: None }
}

/// Sockets as fast as they open; all of them stay open.
async fn handshakes(backend: &Backend, auth: Auth, options: &Options) -> Figure {
    // What happens once is not to be measured.
    let first = Crowd::open(backend, auth, 50).await.expect("players connect");
    let credentials = backend.credentials(auth, options.sockets).await;
    let (before, begin) = (backend.usage(), Instant::now());
    let crowd = Crowd::with(&backend.endpoints.websocket, credentials).await.expect("players connect");
    let took = begin.elapsed();
    let after = backend.usage();
    let sockets = options.sockets as f64;
    let more = |after: u64, before: u64| (after as f64 - before as f64) / sockets;
    let resident = (more(after.stack, before.stack), more(after.doors, before.doors));
    let cpu = (after.cpu - before.cpu) / u32::try_from(options.sockets).expect("a sensible number");
    drop((first, crowd));
    Figure { things: "handshakes", count: options.sockets, took, cpu, resident: Some(resident) }
}

/// Sockets beyond the descriptor limit of a process.
async fn many_sockets(options: &Options) {
    // A smoke test is to see several processes on both sides.
    let few = (!options.bench).then_some((options.sockets / 2).max(1));
    let doors = options.front_doors.or(few.map(|_| 2));
    let backend = Backend::start(sockets::AUTH, doors, None, false).await;
    println!("Sockets: {}", sockets::measure(&backend, options.sockets, few).await);
}
