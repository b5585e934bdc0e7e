//! A target that sends back what it was given, or what it should not know, at every place where it may say something:
//! none of it is written anywhere, and classes and labels stay few, short and plain.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::raw::{Guest, drain, serve};
use crate::common::{Ran, Scene};
use serde_json::{Value, json};

/// Places where a target may say something, one for each player in turn.
const PLACES: [&str; 7] =
    ["error_frame", "garbage", "answer_body", "close_reason", "placement_status", "refusal", "plain_answer"];
const PLAYERS: usize = 28;

/// What is nobody's token, and looks like a credential all the same.
const FOREIGN: [&str; 4] = [
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.NEEDLEforeignsignature",
    "AKIANEEDLENEEDLE1234",
    "password=NEEDLEhunter2",
    "Authorization: Bearer NEEDLEopaque0123456789",
];

/// An opaque ticket of no known shape: only who has it can know it again.
fn ticket(player: usize) -> String {
    format!("t!ck.NEEDLE-{player:02}-is.not.base64.but.plain.words!{player:02}")
}

/// A text frame of a server.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..126 => frame.push(short as u8),
        long => {
            frame.push(126);
            frame.extend((long as u16).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

/// The next request of a client: its id and its route. Frames are masked and short.
fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let mut length = u64::from(head[1] & 0x7f);
    if length == 126 {
        let mut long = [0; 2];
        stream.read_exact(&mut long).ok()?;
        length = u16::from_be_bytes(long).into();
    }
    let mut rest = vec![0; 4 + length as usize];
    stream.read_exact(&mut rest).ok()?;
    let text: Vec<u8> = rest[4..].iter().enumerate().map(|(at, byte)| byte ^ rest[at % 4]).collect();
    let request: Value = serde_json::from_slice(&text).ok()?;
    Some((request["id"].as_str()?.to_owned(), request["route"].as_str()?.to_owned()))
}

/// Does to a guest what its number calls for. What is said holds its own token, and something of somebody else's.
fn answer(guest: Guest) {
    let token = guest.header("authorization").unwrap().trim_start_matches("Bearer ").to_owned();
    let player: usize = token.split('-').nth(1).unwrap().parse().unwrap();
    let place = PLACES[player % PLACES.len()];
    let said = format!("{token} is bad, and so is {}", FOREIGN[player / PLACES.len()]);
    if place == "refusal" {
        let mut stream = guest.stream;
        let _ = write!(
            stream,
            "HTTP/1.1 403 No\r\nX-Why: {said}\r\nLocation: /?{said}\r\nContent-Length: {}\r\n\r\n{said}",
            said.len()
        );
        return;
    }
    let mut stream = guest.accept();
    while let Some((id, route)) = request(&mut stream) {
        let placement = route == "sessionPlacementRequest";
        let ack =
            |status: u16, body: Value| json!({ "type": "ack", "id": id, "statusCode": status, "body": body });
        let text = match place {
            "error_frame" => json!({ "message": said, "connectionId": "c=", "requestId": "r=" }),
            "garbage" => json!([said]),
            "answer_body" => ack(500, json!({ "token": token, "reason": said })),
            "placement_status" if placement => {
                let pushed = json!({ "type": "placement", "placementId": id, "status": said });
                let _ = stream.write_all(&frame(1, pushed.to_string().as_bytes()));
                ack(200, json!({ "placementId": id, "status": said }))
            }
            "close_reason" => {
                let reason = &said[..said.len().min(120)];
                let _ =
                    stream.write_all(&frame(8, &[&1008_u16.to_be_bytes()[..], reason.as_bytes()].concat()));
                return drain(stream);
            }
            "plain_answer" => json!({ "type": token, "message": said, "statusCode": 418 }),
            _ => ack(400, json!(said)),
        };
        if stream.write_all(&frame(1, text.to_string().as_bytes())).is_err() {
            return;
        }
    }
}

/// A collector that keeps every byte it is sent.
fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            loop {
                let (mut head, mut length) = (String::new(), 0);
                while !head.ends_with("\r\n\r\n") {
                    let begin = head.len();
                    if reader.read_line(&mut head).unwrap_or(0) == 0 {
                        break;
                    }
                    let line = head[begin..].to_ascii_lowercase();
                    length = line
                        .strip_prefix("content-length:")
                        .map_or(length, |value| value.trim().parse().unwrap());
                }
                let mut body = vec![0; length];
                if head.is_empty() || reader.read_exact(&mut body).is_err() {
                    break;
                }
                kept.lock().unwrap().extend(body);
                let _ = reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        }
    });
    (url, told)
}

/// What Prometheus would see now.
fn scrape(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

/// Everything that a run has left, and what it said.
fn written(ran: &Ran) -> Vec<(String, String)> {
    let said = [("stdout".into(), ran.stdout.clone()), ("stderr".into(), ran.stderr.clone())];
    ran.files().into_iter().chain(said).collect()
}

fn scene(players: usize, duration: &str) -> Scene {
    let rows: String = (0..players).map(|player| format!("p-{player},{}\n", ticket(player))).collect();
    Scene::new(&format!(
        r#"
name = "hostile"
players = {players}
thresholds = ["error_rate < 1%"]
[auth.feeder]
file = "tickets.csv"
[sockets]
connect_rate = 100.0
[[phases]]
kind = "hold"
duration = "{duration}"
[operations.send_message]
rate = 40.0
fan_out = 2
timeout = "1s"
[operations.placement_request]
rate = 40.0
timeout = "1s"
[deliveries]
timeout = "1s"
placement_timeout = "1s"
grace = "0s"
"#
    ))
    .with("tickets.csv", &format!("player,token\n{rows}"))
}

#[test]
fn what_a_target_sends_back_is_written_nowhere() {
    let address = serve(answer);
    let (otlp, told) = collector();
    let prometheus = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let scene = scene(PLAYERS, "4s");
    let target = format!("ws://{address}/Stage");
    let mut command =
        scene.command(&["--target", &target, "--otlp", &otlp, "--prometheus", &prometheus.to_string()]);
    command.env("LOADGEN_LOG", "trace,h2=info,hyper=info,mio=info");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let running = command.spawn().unwrap();
    let scraping = std::thread::spawn(move || {
        let (mut seen, patience) = (String::new(), Instant::now() + Duration::from_secs(60));
        // Until the run is over, and with it the metrics.
        while Instant::now() < patience {
            match scrape(prometheus) {
                Some(text) => seen = text,
                None if seen.is_empty() => {}
                None => break,
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        seen
    });
    let output = running.wait_with_output().unwrap();
    let ran = scene.ran(output);
    let scraped = scraping.join().unwrap();
    // Much of it is not understood.
    let summary = ran.exits(4).summary();
    assert_eq!(summary.sockets.opened as usize, PLAYERS / 7 * 6, "{summary:?}");

    let told = String::from_utf8_lossy(&told.lock().unwrap()).into_owned();
    assert!(scraped.contains("loadgen_errors_total{") && told.contains("loadgen.errors"), "{scraped}");
    let mut everything = written(&ran);
    everything.extend([("prometheus".into(), scraped.clone()), ("otlp".into(), told)]);
    for (place, text) in &everything {
        let at = text.to_ascii_lowercase().find("needle");
        let around = at.map(|at| text.get(at.saturating_sub(80)..at + 60).unwrap_or("…"));
        assert_eq!(around, None, "{place}");
    }

    assert!(summary.deliveries["placement"].received > 0, "statuses came: {summary:?}");

    // It was said all the same, and what is left of it helps.
    let samples = ran.folder().errors;
    let hidden = |operation: &str, class: &str| {
        samples.iter().any(|sample| {
            let same = sample.operation == operation && sample.class.starts_with(class);
            same && (sample.detail.contains("[credential]") || sample.detail.contains('…'))
        })
    };
    for (operation, class) in [
        ("connect", "http_403"),
        ("socket", "closed_1008"),
        ("send_message", "status_500"),
        ("unclassified", "json_array"),
        ("send_message", "credential_is_bad_and_so_is"),
        ("placement_request", "credential_is_bad_and_so_is"),
    ] {
        assert!(hidden(operation, class), "{operation} {class}: {samples:#?}");
    }
    assert!(samples.iter().all(|sample| sample.detail.chars().count() <= 300));

    let classes: BTreeSet<_> = summary
        .operations
        .values()
        .flat_map(|operation| operation.errors.keys())
        .chain(summary.sockets.ends.keys())
        .collect();
    let plain = |class: &str| {
        class.len() <= 51
            && class.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    assert!(classes.iter().all(|class| plain(class)), "{classes:?}");
    let labels: BTreeSet<_> =
        scraped.split("class=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    assert!(!labels.is_empty() && labels.iter().all(|label| plain(label)), "{labels:?}");
}

#[test]
fn a_refusal_that_repeats_the_credential_at_the_end_of_what_is_kept_shows_no_part_of_it() {
    // The body is cut somewhere: each handshake moves the token by a few bytes.
    let address = serve(|guest| {
        let token = guest.header("authorization").unwrap().trim_start_matches("Bearer ").to_owned();
        let body = format!("{} {token}", "x".repeat(140 + 17 * (guest.number % 24)));
        let mut stream = guest.stream;
        let _ = write!(stream, "HTTP/1.1 403 No\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    });
    let ran = scene(PLAYERS, "1s").run(&["--target", &format!("ws://{address}/Stage"), "--quiet"]);
    assert_eq!(ran.summary().operations["connect"].errors["http_403"] as usize, PLAYERS);
    for (place, text) in written(&ran) {
        assert!(!text.contains("t!ck."), "{place}");
    }
}

#[test]
fn secrets_under_any_name_in_a_url_are_refused_and_not_repeated() {
    for name in [
        "apikey",
        "api-key",
        "x-api-key",
        "auth_token",
        "sessionid",
        "session",
        "secret",
        "client_secret",
        "signature",
        "sig",
        "code",
        "Token",
        "access_token",
        "anything",
    ] {
        let target = format!("ws://127.0.0.1:1/Development?{name}=MARKER-8f3a2b1c");
        let in_file = Scene::new(&format!(
            "name = \"url\"\nplayers = 1\n[target]\nurl = \"{target}\"\n[auth]\nmode = \"header\"\n[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n"
        ));
        let on_line = scene(1, "1s");
        for ran in [in_file.run(&[]), on_line.run(&["--target", &target])] {
            ran.exits(2);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(
                said.contains("what may be a secret") && said.contains("harmless_parameters"),
                "{name}: {said}"
            );
            assert!(!said.contains("MARKER"), "{name}: {said}");
            assert!(!ran.dir.exists(), "{name}: nothing was begun");
        }
    }
}

#[test]
fn arguments_and_parameters_are_kept_as_an_ellipsis() {
    let address = serve(|guest| drain(guest.accept()));
    let scenario = format!(
        r#"# was: url = "ws://x.example/?apikey=MARKER1"
name = "kept"
players = 2
thresholds = []
[target]
url = "ws://{address}/Stage?tenant=blue&v=2"
harmless_parameters = ["tenant"]
[auth.command]
argv = ["./token.sh", "--password", "MARKER2", "--key=MARKER3", "{{player}}"]
[[phases]]
kind = "hold"
duration = "1s"
"#
    );
    let scene = Scene::new(&scenario).with("token.sh", "#!/bin/sh\necho \"token-of-$4\"\n");
    let script = scene.dir().parent().unwrap().join("token.sh");
    std::fs::set_permissions(script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let set = r#"auth.command.argv=["./token.sh", "--password", "MARKER4", "--key=MARKER5", "{player}"]"#;
    let command = scene
        .command(&["--set", set, "--otlp", "http://ann:MARKER6@127.0.0.1:1/v?x=MARKER7"])
        .output()
        .unwrap();
    let ran = scene.ran(command);
    assert_eq!(ran.exits(0).summary().sockets.opened, 2);
    for (place, text) in written(&ran) {
        assert!(!text.contains("MARKER"), "{place}: {text}");
    }
    let manifest = ran.folder().manifest;
    let kept = manifest.command.join(" ");
    assert!(kept.contains(r#"["./token.sh", "--password", "…", "--key=…", "{player}"]"#), "{kept}");
    assert!(ran.folder().scenario_toml.contains("tenant=blue"), "what is listed stays");
}

/// A character that does something: to a terminal, or to the order of what is seen.
fn acts(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[test]
fn the_names_of_a_scenario_stay_text_on_the_terminal_and_in_metrics() {
    let named = r#"
name = "named"
players = 2
thresholds = []
[target]
profile = "instant"
[[phases]]
kind = "hold"
duration = "6s"
name = "mark\u001b[2J\u001b]0;owned\u0007\u202e\r\n\"} <script>alert(1)</script>"
"#;
    let prometheus = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let scene = Scene::new(named);
    let mut command = scene.command(&["--prometheus", &prometheus.to_string()]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let running = command.spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    let scraped = loop {
        assert!(Instant::now() < patience, "the phase was not seen");
        match scrape(prometheus) {
            Some(text) if text.contains("phase=\"mark") => break text,
            _ => std::thread::sleep(Duration::from_millis(100)),
        }
    };
    let output = running.wait_with_output().unwrap();
    let ran = scene.ran(output);
    ran.exits(0);
    let page = std::fs::read_to_string(ran.dir.join("report.html")).unwrap();
    assert!(!page.contains("<script>alert"));
    let metrics = scraped.split("\r\n\r\n").nth(1).unwrap();
    let line = metrics.lines().find(|line| line.contains("phase=\"mark")).unwrap();
    assert!(line.ends_with("\"} 1.0"), "one label, one line: {line}");
    let explain = std::process::Command::new(crate::common::LOADGEN)
        .args(["scenario", "explain"])
        .arg(ran.dir.with_file_name("scenario.toml"))
        .output()
        .unwrap();
    let explained = String::from_utf8(explain.stdout).unwrap();
    for (place, text) in [
        ("stdout", &ran.stdout),
        ("stderr", &ran.stderr),
        ("page", &page),
        ("explain", &explained),
        ("metrics", &metrics.replace('\r', "")),
    ] {
        assert_eq!(text.chars().find(|c| acts(*c)), None, "{place}: {text}");
    }
    assert!(
        explained.contains("Phase `mark\\u{1b}[2J") && ran.stderr.contains("mark\\u{1b}[2J"),
        "{}",
        ran.stderr
    );
    // A mistake quotes a name as well.
    let wrong = Scene::new(&named.replace("duration = \"6s\"", "duration = \"\\u001b[2J6\"")).run(&[]);
    assert_eq!(wrong.exits(2).stderr.chars().find(|c| acts(*c)), None, "{:?}", wrong.stderr);
}

#[test]
fn a_value_that_is_no_value_is_not_repeated() {
    for arguments in [
        &["--otlp", "http://ann:MARKER@:x/"][..],
        &["--set", "MARKER"][..],
        &["--set", "=MARKER"][..],
        &["--seed=MARKER"][..],
        &["--api-key=MARKER"][..],
        &["--workers", "password=MARKER"][..],
    ] {
        let ran = scene(1, "1s").run(arguments);
        let said = format!("{}{}", ran.exits(2).stdout, ran.stderr);
        let allowed = arguments[0] == "--seed=MARKER";
        assert!(allowed || !said.contains("MARKER"), "{arguments:?}: {said}");
    }
}

/// Says in every error frame what came with the handshake's header.
fn repeats_a_header(guest: Guest) {
    let secret = guest.header("x-edge").unwrap().to_owned();
    let mut stream = guest.accept();
    while request(&mut stream).is_some() {
        let said = json!({ "message": format!("{secret} is no edge of ours"), "connectionId": "c=" });
        if stream.write_all(&frame(1, said.to_string().as_bytes())).is_err() {
            return;
        }
    }
}

#[test]
fn a_header_that_is_sent_back_later_is_written_nowhere() {
    let address = serve(repeats_a_header);
    let scene = Scene::new(
        "name = \"edge\"\nplayers = 2\nthresholds = []\n[auth]\nmode = \"header\"\n\
         [target.headers]\nX-Edge = { file = \"edge\" }\n\
         [[phases]]\nkind = \"hold\"\nduration = \"2s\"\n[operations.unknown_route]\nrate = 10.0\ntimeout = \"1s\"\n",
    )
    .with("edge", "MARKER of plain words, no shape");
    let ran = scene.run(&["--target", &format!("ws://{address}/Stage")]);
    let errors = &ran.summary().operations["unknown_route"].errors;
    assert!(errors.keys().any(|class| class.contains("is_no_edge_of_ours")), "{errors:?}");
    for (place, text) in written(&ran) {
        assert!(!text.contains("MARKER"), "{place}: {text}");
    }
}
