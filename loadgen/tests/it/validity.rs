//! A run says of itself whether it may be believed: it must when the generator is squeezed, and must not when only the
//! target is slow.

use std::process::{Child, Command, Stdio};

use crate::common::{Backend, Scene, assert_balanced};

const BUSY: &str = r#"
name = "busy"
players = 200
thresholds = []
[auth]
mode = "header"
[sockets]
connect_rate = 400.0
[[phases]]
kind = "hold"
duration = "6s"
[operations.send_message]
rate = 500.0
fan_out = 2
"#;

/// Programs that take a core; they end with this value.
struct Burners(Vec<Child>);

impl Burners {
    fn on_core(core: &str, count: usize) -> Self {
        let burner = || {
            Command::new("taskset")
                .args(["-c", core, "sh", "-c", "while :; do :; done"])
                .stdin(Stdio::null())
                .spawn()
                .unwrap()
        };
        Self((0..count).map(|_| burner()).collect())
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        for burner in &mut self.0 {
            let _ = burner.kill();
            let _ = burner.wait();
        }
    }
}

#[test]
fn a_squeezed_generator_declares_its_run_invalid() {
    let backend = Backend::start(&["--auth", "header"]);
    let scene = Scene::new(BUSY);
    let run = scene.command(&["--target", backend.url("websocket")]);
    let mut squeezed = Command::new("taskset");
    squeezed.args(["-c", "0", "nice", "-n", "19"]).arg(run.get_program()).args(run.get_args());
    squeezed.stdin(Stdio::null());
    let output = {
        let _burners = Burners::on_core("0", 4);
        squeezed.output().unwrap()
    };
    let ran = scene.ran(output);
    let summary = ran.exits(4).summary();
    assert_balanced(&summary);
    assert!(!summary.verdict.valid && summary.generator.saturated);
    let reasons = summary.verdict.invalid_reasons.join("\n");
    assert!(
        reasons.contains("the generator lacked CPU (waited up to"),
        "a twentieth of a core is none that it could use up: {reasons}"
    );
    assert_eq!(summary.generator.cores, 1, "the affinity counts");
    let first = ran.stdout.lines().next().unwrap();
    assert_eq!(first, "NOT VALID", "said before anything else: {}", ran.stdout);
}

#[test]
fn a_slow_target_is_the_target_s_matter() {
    let profile = "base = \"instant\"\n[lambda.functions.SendMessage.duration]\np50_ms = 1500.0\n";
    let slow = BUSY.replace("rate = 500.0", "rate = 100.0");
    let run = || {
        let scene = Scene::new(&format!("{slow}\n[target]\nprofile = \"profile.toml\"\n"));
        scene.with("profile.toml", profile).run(&[])
    };
    // Other tests may take the cores for a while: only a run that has seen it, and says so, is made again.
    let ran = (0..4)
        .map(|_| run())
        .find(|ran| !ran.was_only_late())
        .expect("four runs in which others took the CPU");
    let summary = ran.exits(0).summary();
    assert!(summary.verdict.valid, "{:?}", summary.verdict);
    assert!(summary.operations["send_message"].response_time_us.p50 >= 1_499_000);
    let lag = &summary.generator.event_loop_lag_us;
    assert!(lag.count > 50, "the event loop was knocked at: {lag:?}");
    assert!(summary.generator.peak_descriptors >= 200, "{:?}", summary.generator);
}
