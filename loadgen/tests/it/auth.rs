//! Credentials on the wire: what a target sees of each mode, what becomes of tokens that end, and that no secret is
//! ever written down, whatever the target does with it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::common::{Backend, Ran, Scene, assert_balanced};
use aws_lc_rs::{digest, hmac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, get_current_timestamp,
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use url::Url;

const ACCESS_KEY: &str = "AKIDEXAMPLE";
const SECRET_KEY: &str = "MARKERsecretKEYwJalrXUtnFEMI";
const SESSION: &str = "MARKER/session+token==";

/// A handshake or a REST request as the target saw it.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    url: Url,
    headers: BTreeMap<String, String>,
    raw: String,
}

impl Seen {
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut raw = Vec::new();
        let mut buffer = [0; 4096];
        while !raw.ends_with(b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(length) if length > 0 => raw.extend_from_slice(&buffer[..length]),
                _ => return None,
            }
        }
        let raw = String::from_utf8(raw).unwrap();
        let mut lines = raw.lines();
        let mut first = lines.next()?.split(' ').map(str::to_owned);
        let (method, path) = (first.next()?, first.next()?);
        let headers: BTreeMap<_, _> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let url = Url::parse(&format!("ws://{}{path}", headers["host"])).unwrap();
        Some(Self { method, url, headers, raw })
    }

    fn parameter(&self, wanted: &str) -> Option<String> {
        self.url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    }

    /// Asserts that the signature, in the header or in the query, is the one that AWS computes; returns the names of
    /// the headers that it covers.
    fn bears_checking(&self) -> String {
        let [credential, date, signed, sent] = match self.headers.get("authorization") {
            Some(authorization) => {
                let part = |name: &str| {
                    authorization.split_once(name).unwrap().1.split(',').next().unwrap().to_owned()
                };
                let date = self.headers["x-amz-date"].clone();
                [part("Credential="), date, part("SignedHeaders="), part("Signature=")]
            }
            None => ["Credential", "Date", "SignedHeaders", "Signature"]
                .map(|name| self.parameter(&format!("X-Amz-{name}")).unwrap()),
        };
        let scope = credential.strip_prefix(&format!("{ACCESS_KEY}/")).unwrap();
        assert!(scope.ends_with("/eu-west-1/execute-api/aws4_request"), "{scope}");
        assert_eq!(sent, signature(self, &date, scope, &signed), "{} {}", self.method, self.url);
        signed
    }
}

/// A target that keeps what it sees; it takes every handshake, or sends back the head that it refuses. What is no
/// handshake asks for a placement, which is there at the first question.
struct Target {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Target {
    fn start(accepts: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/Staging?v=2", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let Some(seen) = Seen::read(&mut stream) else { continue };
                let answer = if !seen.headers.contains_key("sec-websocket-key") {
                    let status = if seen.method == "POST" { "PENDING" } else { "FULFILLED" };
                    let body = json!({ "placementId": "p-1", "status": status });
                    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}")
                } else if accepts {
                    let accept = derive_accept_key(seen.headers["sec-websocket-key"].as_bytes());
                    format!(
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                    )
                } else {
                    format!("HTTP/1.1 403 Forbidden\r\n\r\nI do not like {}", seen.raw)
                };
                stream.write_all(answer.as_bytes()).unwrap();
                let socket = accepts && seen.headers.contains_key("sec-websocket-key");
                kept.lock().unwrap().push(seen);
                if socket {
                    open.push(stream);
                }
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A scenario of players that only connect.
fn scene(auth: &str) -> Scene {
    Scene::new(&format!(
        "name = \"auth\"\nplayers = 12\n{auth}\n[sockets]\nconnect_rate = 100.0\n[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n"
    ))
}

fn run(scene: Scene, target: &Target, arguments: &[&str]) -> Ran {
    let mut command = scene.command(&[&["--target", &target.url], arguments].concat());
    aws(&mut command);
    let output = command.output().unwrap();
    scene.ran(output)
}

/// Credentials as the standard chain finds them; nothing else is asked.
fn aws(command: &mut Command) {
    command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_SESSION_TOKEN", SESSION)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_REGION");
}

const MINT: &str =
    "[auth.mint]\nkey_file = \"key.pem\"\nalgorithm = \"ES256\"\nkey_id = \"k-1\"\naudience = \"game\"\n";

#[test]
fn minted_tokens_are_good_and_each_player_has_its_own() {
    let key = rcgen::KeyPair::generate().unwrap();
    let target = Target::start(true);
    let ran = run(scene(MINT).with("key.pem", &key.serialize_pem()), &target, &[]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    assert_eq!(summary.sockets.opened, 12);
    let key = DecodingKey::from_ec_pem(key.public_key_pem().as_bytes()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["game"]);
    let players: BTreeSet<_> = target
        .seen()
        .iter()
        .map(|seen| {
            let token = seen.headers["authorization"].strip_prefix("Bearer ").unwrap();
            let token = decode::<Value>(token, &key, &validation).unwrap();
            assert_eq!(token.header.kid.as_deref(), Some("k-1"));
            token.claims["sub"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(players.len(), 12);
    assert!(players.contains("player-000011"), "{players:?}");
}

#[test]
fn tokens_from_a_file_or_a_command_travel_as_they_are_told() {
    let rows: String = (0..12).map(|player| format!("p{player},ticket-{player}\n")).collect();
    let rows = format!("who,ticket\n{rows}");
    let tickets: BTreeSet<_> = (0..12).map(|player| format!("ticket-{player}")).collect();
    let feeder = "feeder = { file = \"tickets.csv\", player = \"who\", token = \"ticket\" }";

    let target = Target::start(true);
    let steam = format!("[auth]\nplacement = {{ header = \"Authorization\", scheme = \"Steam\" }}\n{feeder}");
    run(scene(&steam).with("tickets.csv", &rows), &target, &[]).exits(0);
    let sent = |seen: &Seen| seen.headers["authorization"].strip_prefix("Steam ").unwrap().to_owned();
    assert_eq!(target.seen().iter().map(sent).collect::<BTreeSet<_>>(), tickets);

    let target = Target::start(true);
    let query = format!("[auth]\nplacement = {{ query = \"ticket\" }}\n{feeder}");
    run(scene(&query).with("tickets.csv", &rows), &target, &[]).exits(0);
    let seen = target.seen();
    let sent = |seen: &Seen| seen.parameter("ticket").unwrap();
    assert_eq!(seen.iter().map(sent).collect::<BTreeSet<_>>(), tickets);
    assert!(
        seen.iter().all(|seen| seen.parameter("v").as_deref() == Some("2")),
        "the target's own query stays"
    );

    let batch = "[auth]\nplacement = { header = \"X-Ticket\" }\n\
                 command = { argv = [\"sed\", \"s/player-0*\\\\([0-9]\\\\)/ticket-\\\\1/\"], batch = 5 }";
    let target = Target::start(true);
    run(scene(batch), &target, &[]).exits(0);
    let sent = |seen: &Seen| seen.headers["x-ticket"].clone();
    assert_eq!(target.seen().iter().map(sent).collect::<BTreeSet<_>>(), tickets);
}

/// The signature that AWS computes: written down from its documentation, not with the library that signs.
fn signature(seen: &Seen, date: &str, scope: &str, signed: &str) -> String {
    let encode = |text: &str| {
        let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes()
            .map(|byte| if keep(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") })
            .collect::<String>()
    };
    let mut query: Vec<_> = seen
        .url
        .query_pairs()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| format!("{}={}", encode(&name), encode(&value)))
        .collect();
    query.sort();
    let headers: String =
        signed.split(';').map(|name| format!("{name}:{}\n", seen.headers[name].trim())).collect();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hash = |text: &str| hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    let (method, path, query) = (&seen.method, seen.url.path(), query.join("&"));
    let request = format!("{method}\n{path}\n{query}\n{headers}\n{signed}\n{}", hash(""));
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(&request));
    let mac = |key: &[u8], text: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    };
    let key = scope.split('/').fold(format!("AWS4{SECRET_KEY}").into_bytes(), |key, part| mac(&key, part));
    hex(&mac(&key, &text))
}

#[test]
fn signed_handshakes_bear_checking() {
    let target = Target::start(true);
    let auth = "[auth]\nmode = \"sigv4\"\nsigv4 = { region = \"eu-west-1\" }";
    let ran = run(scene(auth), &target, &[]);
    assert_eq!(ran.exits(0).summary().sockets.opened, 12);
    for seen in target.seen() {
        assert_eq!(seen.bears_checking(), "host;x-amz-date;x-amz-security-token;x-player-id");
        assert_eq!(seen.headers["x-amz-security-token"], SESSION);
    }
    let players: BTreeSet<_> = target.seen().iter().map(|seen| seen.headers["x-player-id"].clone()).collect();
    assert_eq!(players.len(), 12);
}

#[test]
fn presigned_urls_bear_checking() {
    let target = Target::start(true);
    let auth =
        "[auth]\nmode = \"sigv4\"\nsigv4 = { form = \"query\", region = \"eu-west-1\", expires = \"90s\" }";
    let ran = run(scene(auth), &target, &[]);
    assert_eq!(ran.exits(0).summary().sockets.opened, 12);
    for seen in target.seen() {
        assert!(!seen.headers.contains_key("authorization"));
        assert_eq!(seen.bears_checking(), "host;x-player-id");
        assert_eq!(seen.parameter("X-Amz-Expires").as_deref(), Some("90"));
        assert_eq!(seen.parameter("X-Amz-Security-Token").as_deref(), Some(SESSION));
    }
}

const POLLING: &str = "[operations.placement_poll]\nrate = 10.0\nevery = \"20ms\"\n";

#[test]
fn signed_questions_bear_checking() {
    for form in ["header", "query"] {
        let target = Target::start(true);
        let rest = target.url.replace("ws:", "http:").replace("/Staging?v=2", "/Rest");
        let auth =
            format!("[auth]\nmode = \"sigv4\"\nsigv4 = {{ region = \"eu-west-1\", form = \"{form}\" }}");
        let ran =
            run(scene(&format!("{auth}\n{POLLING}")), &target, &["--set", &format!("target.rest={rest}")]);
        let summary = ran.exits(0).summary();
        let poll = &summary.operations["placement_poll"];
        assert!(poll.completed > 0 && poll.completed == poll.offered, "{form}: {poll:?}");
        let seen = target.seen();
        for (method, path) in [("POST", "/Rest/placements"), ("GET", "/Rest/placements/p-1")] {
            let asked = seen.iter().filter(|seen| seen.method == method && seen.url.path() == path);
            let covered: Vec<_> = asked.map(Seen::bears_checking).collect();
            assert_eq!(covered.len() as u64, poll.sent, "{form}: {method}");
            assert!(covered.iter().all(|names| names.ends_with(";x-player-id")), "{covered:?}");
        }
    }
}

#[test]
fn without_aws_credentials_nothing_is_sent() {
    let target = Target::start(true);
    let scene = scene("[auth]\nmode = \"sigv4\"\nsigv4 = { region = \"eu-west-1\" }");
    let mut command = scene.command(&["--target", &target.url]);
    aws(&mut command);
    let output =
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").output().unwrap();
    let ran = scene.ran(output);
    assert!(ran.exits(1).stderr.contains("the AWS chain has no credentials"), "{}", ran.stderr);
    assert!(target.seen().is_empty());
}

fn jwt(player: usize, ends_in: u64) -> String {
    let claims = json!({ "sub": format!("p{player}"), "exp": get_current_timestamp() + ends_in });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(b"k")).unwrap()
}

#[test]
fn a_token_that_ended_and_was_not_renewed_is_an_error_of_its_own() {
    let target = Target::start(true);
    let rows: String = (0..12).map(|player| format!("{}\n", jwt(player, 6))).collect();
    // One handshake a second: the later half comes when the tokens have ended.
    let scene = scene("[auth.feeder]\nfile = \"tokens.csv\"").with("tokens.csv", &format!("token\n{rows}"));
    let ran = run(
        scene,
        &target,
        &["--set", "sockets.connect_rate=1.0", "--set", "thresholds=[\"sockets.opened > 0\"]"],
    );
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let missed = summary.operations["connect"].errors["auth_refresh"];
    assert!(missed > 0 && missed + summary.sockets.opened == 12, "{summary:?}");
    assert!(ran.stderr.contains("could not be renewed"), "{}", ran.stderr);
    assert_eq!(
        target.seen().len() as u64,
        summary.sockets.opened,
        "no handshake with a token that has ended"
    );
}

/// Every word of the run's outputs, standard error and output included.
fn written(ran: &Ran) -> String {
    let said = ran.stdout.clone() + &ran.stderr;
    ran.files().into_iter().fold(said, |all, (_, text)| all + &text)
}

#[test]
fn no_secret_is_written_even_if_the_target_sends_it_back() {
    let backend = Backend::start(&["--auth", "token"]);
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let issuer = format!("[auth]\nissuer = \"{}\"", backend.url("identity"));
    let rows: String = (0..12).map(|player| format!("MARKERticket+/{player}\n")).collect();
    let from_file = "feeder = { file = \"tickets.csv\" }";
    let modes = [
        issuer.clone(),
        issuer + "\nplacement = \"query\"",
        MINT.to_owned(),
        "[auth.mint]\nkey_file = \"hmac.txt\"\nalgorithm = \"HS256\"\n".into(),
        format!("[auth]\n{from_file}\nplacement = {{ header = \"Authorization\", scheme = \"Steam\" }}"),
        format!("[auth]\n{from_file}\nplacement = {{ header = \"X-Ticket\" }}"),
        format!("[auth]\n{from_file}\nplacement = {{ query = \"ticket\" }}"),
        "[auth.command]\nargv = [\"sh\", \"print.sh\", \"{player}\"]".into(),
        "[auth]\nmode = \"sigv4\"\nsigv4 = { region = \"eu-west-1\" }".into(),
        "[auth]\nmode = \"sigv4\"\nsigv4 = { region = \"eu-west-1\", form = \"query\" }".into(),
    ];
    for auth in modes {
        let target = Target::start(false);
        let scene = scene(&auth)
            .with("key.pem", &key)
            .with("print.sh", "echo MARKERstderr >&2; echo MARKERticket+/$1")
            .with("hmac.txt", "MARKERhmac")
            .with("tickets.csv", &format!("token\n{rows}"));
        let mut command = scene.command(&["--target", &target.url]);
        aws(&mut command);
        let output = command.env("LOADGEN_LOG", "trace").output().unwrap();
        let ran = scene.ran(output);
        let summary = ran.exits(1).summary();
        assert_eq!(summary.operations["connect"].errors["http_403"], 12, "{auth}");
        let written = written(&ran);
        assert!(written.contains("I do not like GET /Staging"), "{auth}: the sample of the refusal");
        assert!(!written.contains("MARKER"), "{auth}: {}", around(&written, "MARKER"));
        for seen in target.seen() {
            let presented = [
                seen.headers
                    .get("authorization")
                    .map(|value| value.split(' ').next_back().unwrap().to_owned()),
                seen.parameter("token"),
                seen.parameter("X-Amz-Signature"),
            ];
            for secret in presented.into_iter().flatten() {
                let secret = secret.trim_start_matches("Signature=");
                let tail = &secret[secret.len().saturating_sub(24)..];
                assert!(!written.contains(tail), "{auth}: {}", around(&written, tail));
            }
        }
    }
}

fn around<'t>(text: &'t str, word: &str) -> &'t str {
    let at = text.find(word).unwrap_or(0);
    let from = (0..=at.saturating_sub(200)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let to = (at + 60..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    &text[from..to]
}

/// Players who also talk, so that each has to be who it says.
fn talking(auth: &str) -> Scene {
    Scene::new(&format!(
        "name = \"auth\"\nplayers = 12\n{auth}\n[sockets]\nconnect_rate = 100.0\n[[phases]]\nkind = \"hold\"\nduration = \"2s\"\n\
         [operations.send_message]\nrate = 10.0\nfan_out = 2\n"
    ))
}

#[test]
fn the_gateway_proves_every_signature() {
    let backend = Backend::start(&["--auth", "iam"]);
    let target = backend.url("websocket");
    for form in ["header", "query"] {
        for (secret, opened) in [("local", 12), ("MARKERguess", 0)] {
            let auth =
                format!("[auth]\nmode = \"sigv4\"\nsigv4 = {{ region = \"eu-west-1\", form = \"{form}\" }}");
            let scene = talking(&auth);
            let mut command = scene.command(&["--target", target]);
            aws(&mut command);
            command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", secret);
            let output = command.env_remove("AWS_SESSION_TOKEN").output().unwrap();
            let ran = scene.ran(output);
            let summary = ran.exits(i32::from(opened == 0)).summary();
            assert_eq!(summary.sockets.opened, opened, "{form}: {summary:?}");
            if opened == 0 {
                assert_eq!(summary.operations["connect"].errors["http_403"], 12, "{form}");
                let written = written(&ran);
                assert!(written.contains("The request signature we calculated does not match"), "{form}");
                assert!(!written.contains("MARKER"), "{form}: {}", around(&written, "MARKER"));
            } else {
                assert_balanced(&summary);
                let messages = &summary.deliveries["message"];
                assert!(messages.expected > 0 && messages.lost == 0, "{form}: {messages:?}");
            }
        }
    }
}

#[test]
fn the_rest_api_proves_every_signature() {
    let backend = Backend::start(&["--profile", "instant", "--auth", "iam"]);
    // It believes who a player says to be, so that a wrong signature comes as far as the REST API.
    let believing = Backend::start(&["--profile", "instant", "--auth", "header"]);
    let rest = format!("target.rest={}", backend.url("rest"));
    let signed =
        |form: &str| format!("mode = \"sigv4\"\nsigv4 = {{ region = \"eu-west-1\", form = \"{form}\" }}");
    let wrong = "The request signature we calculated does not match";
    for (auth, secret, target, refusal) in [
        (signed("header"), "local", &backend, None),
        (signed("query"), "local", &backend, None),
        (signed("header"), "MARKERguess", &believing, Some(wrong)),
        (signed("query"), "MARKERguess", &believing, Some(wrong)),
        ("mode = \"header\"".into(), "local", &believing, Some("Missing Authentication Token")),
    ] {
        let scene = scene(&format!("[auth]\n{auth}\n{POLLING}"));
        let mut command = scene.command(&["--target", target.url("websocket"), "--set", &rest]);
        aws(&mut command);
        command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", secret);
        let output = command.env_remove("AWS_SESSION_TOKEN").output().unwrap();
        let ran = scene.ran(output);
        let summary = ran.exits(if refusal.is_some() { 3 } else { 0 }).summary();
        assert_balanced(&summary);
        assert_eq!(summary.sockets.opened, 12, "{auth}");
        let poll = &summary.operations["placement_poll"];
        assert!(poll.offered > 0, "{auth}");
        match refusal {
            None => assert_eq!(poll.completed, poll.offered, "{auth}: {poll:?}"),
            Some(words) => {
                assert_eq!(poll.errors.get("status_403"), Some(&poll.offered), "{auth}: {poll:?}");
                let written = written(&ran);
                assert!(written.contains(words), "{auth}");
                assert!(!written.contains("MARKER"), "{auth}: {}", around(&written, "MARKER"));
            }
        }
    }
}

#[test]
fn steam_vouches_for_the_players() {
    let backend = Backend::start(&["--auth", "steam"]);
    for placement in ["{ header = \"Authorization\", scheme = \"Steam\" }", "\"query\""] {
        let auth = format!("[auth]\nissuer = \"{}/steam\"\nplacement = {placement}", backend.url("identity"));
        let summary = talking(&auth).run(&["--target", backend.url("websocket")]).exits(0).summary();
        assert_balanced(&summary);
        let messages = &summary.deliveries["message"];
        assert_eq!(summary.sockets.opened, 12, "{placement}");
        assert!(messages.expected > 0 && messages.lost == 0, "{placement}: {messages:?}");
    }
}

#[test]
fn a_secret_on_the_command_line_is_refused() {
    let target = Target::start(true);
    for set in ["auth.mint.secret=MARKER", "auth.token=MARKER"] {
        let ran = run(scene(""), &target, &["--set", set]);
        assert!(!ran.exits(2).stderr.contains("MARKER"), "{}", ran.stderr);
        assert!(ran.stderr.contains("holds a secret") && ran.stderr.contains("auth.mint.key_file"));
        assert!(!ran.dir.exists() && target.seen().is_empty());
    }
}
