//! Arithmetic truths: a server with a known answer time, and what the generator makes of it.
//!
//! The server is here, because its truth must be exact: tokio's timer alone, with its wheel of a millisecond, would
//! be a larger error than the one allowed; where it is late itself, as after a stall, when it has thousands of answers
//! to write, it says by how much. Machines are noisy, so a run in which others took the CPU, by what its own watch saw, may be made
//! again a few times; an undisturbed one that misses its truth is a fault.

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use crate::common::{Scene, assert_balanced, was_disturbed};
use futures_util::StreamExt;
use reports::format::Summary;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// How often a truth is looked for on a machine that others disturb.
const ATTEMPTS: usize = 4;
/// The truths share the machine's cores: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

const SCENARIO: &str = r#"
name = "clockwork"
players = 100
thresholds = []
[auth]
mode = "none"
[sockets]
connect_rate = 1000.0
[[phases]]
kind = "hold"
duration = "20s"
[operations.unknown_route]
rate = 2000.0
"#;

/// An answer and the instant at which it leaves.
struct Answer {
    due: Instant,
    to: Arc<TcpStream>,
    frame: Vec<u8>,
}

/// When a request that comes at an instant is answered.
type Schedule = fn(since_first: Duration) -> Duration;

/// How late the answers of a server left, in all.
#[derive(Default)]
struct Lateness(Mutex<(Duration, u32)>);

impl Lateness {
    fn add(&self, late: Duration) {
        let (sum, answers) = &mut *self.0.lock().unwrap();
        *sum += late;
        *answers += 1;
    }

    fn mean_ms(&self) -> f64 {
        let (sum, answers) = *self.0.lock().unwrap();
        sum.as_secs_f64() * 1e3 / f64::from(answers.max(1))
    }
}

/// Serves until the process ends: reads on a runtime, answers from a thread with a clock of its own.
fn serve(schedule: Schedule) -> (String, Arc<Lateness>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (answers, due) = mpsc::channel::<Answer>();
    let lateness = Arc::new(Lateness::default());
    let late = Arc::clone(&lateness);
    // The schedules never answer a later request before an earlier one, so that a queue is enough.
    std::thread::spawn(move || {
        for Answer { due, to, frame } in due {
            sleep_until(due);
            late.add(due.elapsed());
            // Whoever has left needs no answer.
            let _ = (&*to).write_all(&frame);
        }
    });
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let begun = Arc::new(std::sync::OnceLock::new());
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, answers.clone(), Arc::clone(&begun), schedule));
            }
        });
    });
    (url, lateness)
}

async fn answer(
    stream: tokio::net::TcpStream,
    answers: mpsc::Sender<Answer>,
    begun: Arc<std::sync::OnceLock<Instant>>,
    schedule: Schedule,
) {
    stream.set_nodelay(true).unwrap();
    let stream = stream.into_std().unwrap();
    let to = Arc::new(stream.try_clone().unwrap());
    let stream = tokio::net::TcpStream::from_std(stream).unwrap();
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if !message.is_text() {
            return;
        }
        let now = Instant::now();
        let first = *begun.get_or_init(|| now);
        let request: serde_json::Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        let id = &request["id"];
        let text = format!(r#"{{"type":"ack","id":{id},"statusCode":404,"body":"Route [x] Not Found"}}"#);
        let mut frame = Vec::new();
        Frame::message(text, OpCode::Data(Data::Text), true).format(&mut frame).unwrap();
        let due = now + schedule(now - first);
        answers.send(Answer { due, to: Arc::clone(&to), frame }).unwrap();
    }
}

fn sleep_until(due: Instant) {
    const SPIN: Duration = Duration::from_micros(150);
    let left = due.saturating_duration_since(Instant::now());
    if left > SPIN {
        std::thread::sleep(left - SPIN);
    }
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}

/// Runs until `judge` is content; only a disturbed run is made again.
/// `judge` is also told how late the server's answers left, on average, in milliseconds.
fn attempt(schedule: Schedule, judge: impl Fn(&Summary, f64) -> Result<(), String>) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut missed = Vec::new();
    for _ in 0..ATTEMPTS {
        let (url, lateness) = serve(schedule);
        let ran = Scene::new(SCENARIO).run(&["--target", &url, "--quiet"]);
        let summary = ran.summary();
        assert_balanced(&summary);
        assert_eq!(summary.operations["unknown_route"].offered, 40_000);
        let Err(what) = judge(&summary, lateness.mean_ms()) else { return };
        assert!(was_disturbed(&summary), "{what}: {:?}", summary.generator);
        missed.push(format!("{what}; reasons {:?}", summary.verdict.invalid_reasons));
    }
    panic!("disturbed every time: {missed:#?}");
}

fn within(what: &str, observed: f64, truth: f64, bound: f64) -> Result<(), String> {
    if (observed - truth).abs() <= bound {
        Ok(())
    } else {
        Err(format!("{what} is {observed:.3} ms, not {truth:.3} ± {bound:.3} ms"))
    }
}

#[test]
fn a_delay_of_20_ms_is_20_ms() {
    attempt(
        |_| Duration::from_millis(20),
        |summary, _| {
            let send = &summary.operations["unknown_route"];
            within("the response time's median", send.response_time_us.p50 as f64 / 1e3, 20.0, 0.3)?;
            within("the service time's median", send.service_time_us.p50 as f64 / 1e3, 20.0, 0.3)
        },
    );
}

/// Requests at a constant rate meet a server that stands still for the first S = 1 s of every T = 10 s. One that comes
/// u into a stall waits S − u; all others wait for nothing. So the mean is S² / 2T = 50 ms, and since a share of
/// (S − x) / T waits longer than x, the p95 is S − 0.05 T = 500 ms. A generator that waits with its next request for the
/// last answer would send one request per player into a stall, and see next to nothing. The server needs a while to write
/// the 2,000 answers of a stall: what it was late by itself belongs to the truth.
#[test]
fn a_stall_is_seen_by_everybody_who_came_during_it() {
    attempt(
        |since| {
            const STALL: Duration = Duration::from_secs(1);
            let into = Duration::from_nanos((since.as_nanos() % 10_000_000_000) as u64);
            STALL.saturating_sub(into)
        },
        |summary, late| {
            let send = &summary.operations["unknown_route"];
            for (what, times) in [("response", &send.response_time_us), ("service", &send.service_time_us)] {
                within(&format!("the {what} time's mean"), times.mean / 1e3, 50.0 + late, 1.5)?;
                // Of all answers a tenth is of a stall, and is late by ten times the mean; which of them, the mean does not say.
                let p95 = times.p95 as f64 / 1e3;
                within(&format!("the {what} time's p95"), p95, 500.0, 15.0 + 10.0 * late)?;
            }
            Ok(())
        },
    );
}
