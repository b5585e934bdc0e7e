//! What the generator costs beside a bare client: memory of an idle socket, processor time of a handshake, and answers
//! for each second of processor time. And how late it sends, with a core to itself, beside how late that core wakes a
//! thread that does nothing else.
//!
//! Both are processes of their own (this program, started again), one after the other in the same run, against the same
//! backend on the other core; both know their player's id by a header. The generator records everything that it records
//! in any run, the bare client nothing. `cargo bench -p bench --bench peer -- --help`; without `--bench`, as
//! `cargo test --benches` runs it, everything is done once and small, and only that it works is looked at.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "read by whoever started it"
)]

#[path = "../load/backend.rs"]
#[allow(dead_code, reason = "the other bench uses all of it")]
mod backend;
mod bare;
#[path = "../../../loadgen/tests/it/common/tls.rs"]
mod tls;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use backend::{Auth, BACKEND, Backend};
use bare::{Bare, Second};
use clap::Parser;
use hdrhistogram::Histogram;
use loadgen::health::machine::raise_descriptor_limit;
use loadgen::live::Watchers;
use loadgen::run::{Request, run};
use reference_backend_local::gateway::front;
use reference_backend_local::serve;
use reports::format::{Latency, SeriesLine, Summary};
use tls::Front;
use tokio::process::Command;
use url::Url;

const BARE: &str = "bare";
const GENERATOR: &str = "generator";
/// Most sockets over TLS.
const MOST_THROUGH_TLS: u32 = 5_000;

/// Measures the generator beside a bare client.
#[derive(Debug, Clone, Parser)]
#[command(name = "peer")]
struct Options {
    /// Set by `cargo bench`; without it, this is a smoke test.
    #[arg(long, hide = true)]
    bench: bool,
    /// How often; medians are shown.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Fewest idle sockets.
    #[arg(long, default_value_t = 1_000)]
    few: u32,
    /// Most idle sockets.
    #[arg(long, default_value_t = 12_000)]
    many: u32,
    /// Sockets that ask and wait for answers.
    #[arg(long, default_value_t = 100)]
    asking: u32,
    /// Handshakes begun per second, by both.
    #[arg(long, default_value_t = 1_500.0)]
    connect_rate: f64,
    /// Open arrivals per second for the dispatch delay.
    #[arg(long, default_value_t = 2_000.0)]
    rate: f64,
    /// How long they ask, and how long sockets are idle.
    #[arg(long, default_value_t = 6)]
    seconds: u64,
    /// Do not pin the backend to core 0 and the clients to core 1.
    #[arg(long)]
    unpinned: bool,
}

/// What this program is when it is started again.
#[derive(Debug, Parser)]
enum Backstage {
    #[command(name = BACKEND)]
    Serve(Box<serve::Serve>),
    #[command(name = front::COMMAND)]
    FrontDoor,
    #[command(name = BARE)]
    Bare(Bare),
    #[command(name = GENERATOR)]
    Generator { scenario: PathBuf, out: PathBuf },
}

fn main() {
    let first = std::env::args().nth(1);
    if first.is_some_and(|first| [BACKEND, front::COMMAND, BARE, GENERATOR].contains(&first.as_str())) {
        return backstage(Backstage::parse());
    }
    let mut options = Options::parse();
    if !options.bench {
        options = Options {
            repeats: 1,
            few: 20,
            many: 200,
            asking: 5,
            rate: 200.0,
            seconds: 2,
            unpinned: true,
            ..options
        };
    }
    if !options.unpinned {
        backend::pin_self(1);
    }
    raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(compare(&options));
}

fn backstage(part: Backstage) {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let outcome = match part {
        Backstage::Serve(serve) => serve::run(*serve),
        Backstage::FrontDoor => serve::front_door(),
        Backstage::Bare(bare) => {
            let runtime = runtime();
            runtime.block_on(bare::play(bare));
            // The sockets are not said good-bye to.
            return runtime.shutdown_background();
        }
        Backstage::Generator { scenario, out } => {
            let watchers = Watchers { quiet: true, ..Watchers::default() };
            let request = Request {
                scenario,
                overrides: Vec::new(),
                out: Some(out),
                watchers,
                workers: None,
                command: Vec::new(),
            };
            let runtime = runtime();
            runtime.block_on(run(request)).expect("the generator runs");
            return runtime.shutdown_background();
        }
    };
    outcome.expect("the backend runs");
}

#[derive(Debug, Clone, Copy)]
enum Client {
    Bare,
    Generator,
    /// The generator over `wss://`.
    Tls,
}

/// What the open sockets do.
#[derive(Debug, Clone, Copy)]
enum Load {
    /// Nothing.
    Idle,
    /// Ask, wait for the answer, and ask again.
    Ask,
    /// Ask when the plan says, so many times a second in all.
    Paced(f64),
}

/// What one client costs.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// KiB resident per idle socket, between few and many of them.
    kib_per_socket: f64,
    /// µs of processor time per handshake, between few and many of them.
    us_per_handshake: f64,
    /// Answers per second of processor time.
    answers_per_cpu_second: f64,
}

async fn compare(options: &Options) {
    let (mut bare, mut generator, mut tls) = (Vec::new(), Vec::new(), Vec::new());
    // This process ends TLS, and needs two descriptors for a socket.
    let through_tls = Options { many: options.many.min(MOST_THROUGH_TLS), ..options.clone() };
    for _ in 0..options.repeats.max(1) {
        bare.push(cost(Client::Bare, options).await);
        generator.push(cost(Client::Generator, options).await);
        tls.push(cost(Client::Tls, &through_tls).await);
    }
    println!("{:<36} {:>10} {:>10} {:>8} {:>10}", "medians", "bare", "generator", "ratio", "over TLS");
    type Row = (&'static str, fn(&Cost) -> f64);
    let rows: [Row; 3] = [
        ("KiB resident per idle socket", |cost| cost.kib_per_socket),
        ("µs processor time per handshake", |cost| cost.us_per_handshake),
        ("answers per second of processor time", |cost| cost.answers_per_cpu_second),
    ];
    for (name, of) in rows {
        let (bare, generator, tls) = (median(&bare, of), median(&generator, of), median(&tls, of));
        println!("{name:<36} {bare:>10.1} {generator:>10.1} {:>8.2} {tls:>10.1}", generator / bare);
    }
    for _ in 0..options.repeats.max(1) {
        let paced = generate(options.asking, Load::Paced(options.rate), false, options).await;
        let Latency { p50, p99, max, .. } = paced.summary.generator.dispatch_delay_us;
        let rate = options.rate;
        println!("dispatch delay at {rate} arrivals a second: p50 {p50} µs, p99 {p99} µs, max {max} µs");
        let woken = wake_ups(rate, options.seconds);
        let (p50, p99, max) = (woken.value_at_quantile(0.5), woken.value_at_quantile(0.99), woken.max());
        println!("  a thread that only sleeps until then: p50 {p50} µs, p99 {p99} µs, max {max} µs");
    }
}

/// How late the kernel wakes a thread that only sleeps, in µs.
fn wake_ups(rate: f64, seconds: u64) -> Histogram<u64> {
    let late = std::thread::spawn(move || {
        let slack = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        slack.expect("the smallest slack");
        let mut late = Histogram::new(3).expect("three digits");
        let begun = Instant::now();
        for wake in 1..=(rate * seconds as f64) as u64 {
            let due = begun + Duration::from_secs_f64(wake as f64 / rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            late.record(due.elapsed().as_micros() as u64).expect("it grows");
        }
        late
    });
    late.join().expect("it sleeps")
}

fn median(costs: &[Cost], of: fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<_> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn cost(client: Client, options: &Options) -> Cost {
    let few = play(client, options.few, Load::Idle, options).await;
    let many = play(client, options.many, Load::Idle, options).await;
    let asking = play(client, options.asking, Load::Ask, options).await;
    let more = f64::from(options.many - options.few);
    let resident =
        |seconds: &[Second]| seconds.iter().map(|second| second.resident).max().unwrap_or(0) as f64;
    let connecting = |seconds: &[Second], sockets: u32| {
        let open =
            seconds.iter().position(|second| second.open == u64::from(sockets)).expect("all were open");
        seconds[..=open].iter().map(|second| second.cpu).sum::<f64>()
    };
    // The first and the last second of asking are not whole.
    let whole: Vec<_> = asking.iter().filter(|second| second.replies > 0).collect();
    let whole =
        whole.get(1..whole.len().saturating_sub(1)).filter(|whole| !whole.is_empty()).unwrap_or(&whole);
    let answers: u64 = whole.iter().map(|second| second.replies).sum();
    let cost = Cost {
        kib_per_socket: (resident(&many) - resident(&few)) / more / 1024.0,
        us_per_handshake: (connecting(&many, options.many) - connecting(&few, options.few)) / more * 1e6,
        answers_per_cpu_second: answers as f64 / whole.iter().map(|second| second.cpu).sum::<f64>(),
    };
    println!("  {client:?}: {cost:.2?}");
    cost
}

/// Opens sockets, and lets them be idle or ask.
async fn play(client: Client, sockets: u32, load: Load, options: &Options) -> Vec<Second> {
    let through_tls = match client {
        Client::Bare => return bare_seconds(sockets, load, options).await,
        Client::Generator => false,
        Client::Tls => true,
    };
    generate(sockets, load, through_tls, options).await.seconds
}

async fn bare_seconds(sockets: u32, load: Load, options: &Options) -> Vec<Second> {
    let backend = Backend::start(Auth::Header, None, None, !options.unpinned).await;
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([BARE, "--url", backend.endpoints.websocket.as_str(), "--sockets", &sockets.to_string()]);
    command.args(["--connect-rate", &options.connect_rate.to_string()]);
    command.args(["--seconds", &options.seconds.to_string()]);
    command.args(matches!(load, Load::Ask).then_some("--ask"));
    let output = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("it starts");
    let output = output.wait_with_output().await.expect("its output");
    assert!(output.status.success(), "the bare client failed");
    let lines = String::from_utf8(output.stdout).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("a second")).collect()
}

/// What a run of the generator leaves.
struct Generated {
    seconds: Vec<Second>,
    summary: Summary,
}

async fn generate(sockets: u32, load: Load, through_tls: bool, options: &Options) -> Generated {
    let backend = Backend::start(Auth::Header, None, None, !options.unpinned).await;
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let mut front = None;
    let mut url = backend.endpoints.websocket.to_string();
    if through_tls {
        let plain = Url::parse(&url).expect("a URL");
        let backend = plain.socket_addrs(|| None).expect("an address")[0].to_string();
        let tls = front.insert(Front::start(backend, dir.path()).await.expect("TLS"));
        command.env("SSL_CERT_FILE", &tls.certificate).env_remove("SSL_CERT_DIR");
        url = format!("wss://{}{}", tls.address, plain.path());
    }
    let (file, out) = (dir.path().join("peer.toml"), dir.path().join("run"));
    std::fs::write(&file, scenario(&url, sockets, load, options)).expect("the scenario");
    let status = command.arg(GENERATOR).args([&file, &out]).kill_on_drop(true).status().await;
    assert!(status.is_ok_and(|status| status.success()), "the generator failed");
    let lines = std::fs::read_to_string(out.join("series.jsonl")).expect("its seconds");
    let summary = std::fs::read_to_string(out.join("summary.json")).expect("its summary");
    Generated {
        seconds: lines.lines().map(|line| second(&serde_json::from_str(line).expect("a second"))).collect(),
        summary: serde_json::from_str(&summary).expect("a summary"),
    }
}

fn second(line: &SeriesLine) -> Second {
    Second {
        open: line.open,
        replies: line.operations.get("unknown_route").map_or(0, |operation| operation.completed),
        cpu: line.generator.cpu_percent / 100.0,
        resident: line.generator.rss_bytes,
    }
}

fn scenario(url: &str, sockets: u32, load: Load, options: &Options) -> String {
    let Options { connect_rate, seconds, .. } = options;
    let operations = match load {
        Load::Idle => String::new(),
        Load::Ask => "[operations.unknown_route]\nmodel = \"closed\"\nthink_time = \"0s\"\n".into(),
        Load::Paced(rate) => format!("[operations.unknown_route]\nrate = {rate:?}\n"),
    };
    format!(
        "name = \"peer\"\nplayers = {sockets}\n[target]\nurl = \"{url}\"\n[auth]\nmode = \"header\"\n\
         [sockets]\nconnect_rate = {connect_rate:?}\n[cloudwatch]\nenabled = false\n\
         [[phases]]\nkind = \"hold\"\nduration = \"{seconds}s\"\n{operations}"
    )
}
