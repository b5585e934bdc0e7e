use std::net::SocketAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use protocol::Outline;
use protocol::outline::{Handshake, Resources, Step};
use protocol::protocol::Missing;
use scenarios::plan::auth::TokenLocation;
use scenarios::plan::shard::Shard;
use scenarios::plan::way::{Header, HeaderValue};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::player::test_protocol::TestProtocol;

const TOKEN: &str = "MARKERofAnOpaqueTicket+that/looks=like~nothing";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

async fn endpoint(way: &Way) -> Endpoint {
    let url: Url = "ws://127.0.0.1:8080/Stage?game=1".parse().unwrap();
    Endpoint::prepare(&url, way, &TestProtocol::default().shared(), &[], 1).await.unwrap()
}

/// What a player asks for that proves nothing.
async fn nothing(endpoint: &Endpoint) -> Introduction<'_> {
    endpoint.introduce(0, &plan(""), None).await.unwrap()
}

/// A plan of two players with tokens from a command.
fn plan(auth: &str) -> Arc<Plan> {
    let text = format!(
        "name = \"h\"\nplayers = 2\n[target]\nurl = \"ws://127.0.0.1:1\"\n[auth]\n{auth}\n\
         command = {{ argv = [\"echo\", \"{TOKEN}.{{player}}\"] }}\n\
         [[phases]]\nkind = \"hold\"\nduration = \"1s\"\n"
    );
    let checked = scenarios::check("h.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    Arc::new(checked.plan)
}

#[tokio::test]
async fn the_request_is_a_websocket_upgrade() {
    let endpoint = endpoint(&Way::default()).await;
    let UpgradeRequest { bytes, key, .. } = Endpoint::request(nothing(&endpoint).await);
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut read = httparse::Request::new(&mut headers);
    assert_eq!(read.parse(&bytes), Ok(httparse::Status::Complete(bytes.len())));
    assert_eq!((read.method, read.path, read.version), (Some("GET"), Some("/Stage?game=1"), Some(1)));
    let headers: Vec<_> =
        read.headers.iter().map(|header| (header.name, std::str::from_utf8(header.value).unwrap())).collect();
    let wanted = [
        ("Host", "127.0.0.1:8080"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", &key),
        ("User-Agent", concat!("loadgen/", env!("CARGO_PKG_VERSION"))),
    ];
    assert_eq!(headers, wanted);
    assert_ne!(Endpoint::request(nothing(&endpoint).await).key, key, "a key is used once");
}

#[tokio::test]
async fn headers_and_subprotocols_go_with_it() {
    let header =
        |name: &str, value: &str| Header { name: name.into(), value: HeaderValue::Written(value.into()) };
    let way = Way {
        headers: vec![header("user-agent", "MyGame/1.4"), header("Origin", "https://game.example")],
        subprotocols: vec!["game.v2".into(), "game.v1".into()],
        ..Way::default()
    };
    let endpoint = endpoint(&way).await;
    let request = Endpoint::request(nothing(&endpoint).await);
    let text = String::from_utf8(request.bytes).unwrap();
    for line in
        ["user-agent: MyGame/1.4", "Origin: https://game.example", "Sec-WebSocket-Protocol: game.v2, game.v1"]
    {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
    }
    assert!(!text.contains("loadgen/"), "theirs replaces ours: {text}");
}

#[test]
fn an_upgrade_has_the_right_key_and_a_subprotocol_that_was_offered() {
    let judge = |lines: &str, offered: &[&str]| {
        let answer = format!("HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n");
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut head = Response::new(&mut headers);
        head.parse(answer.as_bytes()).unwrap();
        let judged = upgraded(&head, ACCEPT, !offered.is_empty(), |name| offered.contains(&name));
        judged.map_err(|error| error.class.to_string())
    };
    let key = format!("sec-WebSocket-accept: {ACCEPT}\r\n");
    let with = |name: &str| format!("{key}Sec-WebSocket-Protocol: {name}\r\n");
    assert_eq!(judge(&key, &[]), Ok(()));
    assert_eq!(judge("", &[]), Err("bad_handshake".into()));
    assert_eq!(judge(&with("game.v1"), &["game.v2", "game.v1"]), Ok(()));
    for (lines, offered) in
        [(with("game.v3"), &["game.v2"][..]), (with("game.v3"), &[]), (key.clone(), &["game.v2"])]
    {
        assert_eq!(judge(&lines, offered), Err("bad_subprotocol".into()), "{lines}");
    }
}

/// A protocol whose handshake differs from player to player.
fn protocol(handshake: fn(&dyn protocol::Values) -> Result<HandshakeParts, Missing>) -> TestProtocol {
    let outline = Outline {
        token: true,
        handshake: Handshake { by_player: true, subprotocols: 1, resources: Resources::default() },
        ..Outline::default()
    };
    TestProtocol { outline, handshake: Some(handshake) }
}

fn token(values: &dyn protocol::Values) -> Result<String, Missing> {
    values.token().map(Cow::into_owned).ok_or_else(|| Missing { name: "token".into() })
}

/// The credentials of a plan's players who speak a protocol.
async fn credentials(plan: &Arc<Plan>, protocol: &TestProtocol) -> Credentials {
    Credentials::for_protocol(plan, &protocol.outline, Shard::WHOLE, None).await.unwrap()
}

/// A target that answers one request with what `answer` makes of its head.
async fn target(answer: fn(&str) -> String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
        }
        stream.write_all(answer(std::str::from_utf8(&head).unwrap()).as_bytes()).await.unwrap();
    });
    address
}

/// What the player sees of a target that does not open its socket.
async fn refused(protocol: TestProtocol, answer: fn(&str) -> String) -> ConnectError {
    let mut plan = Plan::clone(&plan(""));
    plan.auth.placement = TokenLocation::Protocol;
    let plan = Arc::new(plan);
    let credentials = credentials(&plan, &protocol).await;
    let url = format!("ws://{}/Stage", target(answer).await).parse().unwrap();
    let endpoint = Endpoint::prepare(&url, &Way::default(), &protocol.shared(), &[], 1).await.unwrap();
    endpoint.open(1, &plan, &credentials, SocketOptions::default()).await.err().unwrap()
}

#[tokio::test]
async fn each_player_s_parts_are_its_own() {
    let protocol = protocol(|values| {
        Ok(HandshakeParts {
            path: Some(format!("/rooms/{}", values.player())),
            query: vec![("ticket".into(), token(values)?)],
            headers: vec![("Authorization".into(), format!("Ticket {}", token(values)?))],
            subprotocols: vec!["game.v2".into(), token(values)?],
        })
    });
    let plan = plan("placement = \"query\"");
    let credentials = credentials(&plan, &protocol).await;
    let url = "ws://127.0.0.1:1/Stage?v=1".parse().unwrap();
    let endpoint = Endpoint::prepare(&url, &Way::default(), &protocol.shared(), &[], 1).await.unwrap();
    for (number, player) in [(0, "player-000000"), (1, "player-000001")] {
        let introduction = endpoint.introduce(number, &plan, Some(&credentials)).await.unwrap();
        assert!(introduction.proves);
        let text = String::from_utf8(Endpoint::request(introduction).bytes).unwrap();
        let ticket = "MARKERofAnOpaqueTicket%2Bthat%2Flooks%3Dlike%7Enothing";
        let first =
            format!("GET /rooms/{player}?v=1&ticket={ticket}.{player}&token={ticket}.{player} HTTP/1.1\r\n");
        assert!(text.starts_with(&first), "{text}");
        for line in [
            format!("Authorization: Ticket {TOKEN}.{player}"),
            format!("Sec-WebSocket-Protocol: game.v2, {TOKEN}.{player}"),
        ] {
            assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
        }
    }
    let nobody = endpoint.introduce(0, &plan, None).await.err().unwrap();
    assert_eq!(&*nobody.class, "handshake_value");
    assert!(nobody.detail.contains("needs `token`"), "{nobody}");
}

#[tokio::test]
async fn a_header_that_auth_presents_is_not_sent_twice() {
    let protocol = protocol(|_| {
        let headers = vec![("Authorization".into(), "Basic x".into())];
        Ok(HandshakeParts { headers, ..HandshakeParts::default() })
    });
    let plan = plan("placement = \"header\"");
    let credentials = credentials(&plan, &protocol).await;
    let url = "ws://127.0.0.1:1/".parse().unwrap();
    let endpoint = Endpoint::prepare(&url, &Way::default(), &protocol.shared(), &[], 1).await.unwrap();
    let introduction = endpoint.introduce(0, &plan, Some(&credentials)).await.unwrap();
    let text = String::from_utf8(Endpoint::request(introduction).bytes).unwrap();
    assert!(text.contains("authorization: Bearer MARKER") && !text.contains("Basic"), "{text}");
}

#[tokio::test]
async fn a_refusal_does_not_give_away_what_the_protocol_presents() {
    let echo: fn(&str) -> String = |head| format!("HTTP/1.1 403 Forbidden\r\n\r\nI do not like {head}");
    type Parts = fn(&dyn protocol::Values) -> Result<HandshakeParts, Missing>;
    let places: [Parts; 5] = [
        |values| {
            let path = Some(format!("/tickets/{}/socket", token(values)?));
            Ok(HandshakeParts { path, ..HandshakeParts::default() })
        },
        |values| {
            let query = vec![("ticket".into(), token(values)?)];
            Ok(HandshakeParts { query, ..HandshakeParts::default() })
        },
        |values| {
            let headers = vec![("Cookie".into(), format!("session={}; a=b", token(values)?))];
            Ok(HandshakeParts { headers, ..HandshakeParts::default() })
        },
        |values| {
            let headers =
                vec![("Authorization".into(), format!("Basic {}", BASE64_STANDARD.encode(token(values)?)))];
            Ok(HandshakeParts { headers, ..HandshakeParts::default() })
        },
        |values| {
            let subprotocols = vec!["graphql-transport-ws".into(), format!("bearer.{}", token(values)?)];
            Ok(HandshakeParts { subprotocols, ..HandshakeParts::default() })
        },
    ];
    let encoded = BASE64_STANDARD.encode(TOKEN);
    for (number, place) in places.into_iter().enumerate() {
        let error = refused(protocol(place), echo).await;
        assert_eq!(&*error.class, "http_403");
        assert!(["[credential]", "…"].iter().any(|mask| error.detail.contains(mask)), "{number}: {error}");
        for part in ["MARKER", "Ticket", "nothing", &encoded[..12], &encoded[24..36]] {
            assert!(!error.detail.contains(part), "{number}: {part}: {error}");
        }
    }
    let selected: fn(&str) -> String = |head| {
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let offered = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: ")).unwrap();
        let accept = derive_accept_key(key.as_bytes());
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {offered}\r\n\r\n"
        )
    };
    let error = refused(protocol(places[4]), selected).await;
    assert_eq!(&*error.class, "bad_subprotocol");
    assert!(error.detail.contains("graphql-transport-ws") && !error.detail.contains("MARKER"), "{error}");
}

#[tokio::test]
async fn a_token_stays_as_long_as_the_protocol_may_have_it() {
    let opening = vec![Step { name: "join".into(), ..Step::default() }];
    for (opening, in_operations, after_connect, after_ready) in
        [(vec![], false, false, false), (opening.clone(), false, true, false), (opening, true, true, true)]
    {
        let outline =
            Outline { token: true, token_in_operations: in_operations, opening, ..Outline::default() };
        let protocol = TestProtocol { outline, handshake: None };
        let credentials = credentials(&plan("placement = \"header\""), &protocol).await;
        assert!(credentials.token_at_once(0).is_some());
        credentials.connected(0);
        assert_eq!(credentials.token_at_once(0).is_some(), after_connect);
        credentials.ready(0);
        assert_eq!(credentials.token_at_once(0).is_some(), after_ready);
        assert!(credentials.token(0).await.unwrap().is_some(), "fetched again where it is gone");
        for echoed in [TOKEN.to_owned(), BASE64_STANDARD.encode(TOKEN), format!("x{}", &TOKEN[8..])] {
            let kept = credentials.keepable(0, &format!("{{\"said\":\"bad ticket {echoed}\"}}"));
            assert!(kept.contains("[credential]") && !kept.contains("ARKER"), "{kept}");
        }
    }
}
