//! Every way of proving oneself, at the front door of the real binary, with its sockets in the same process and in others.

use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use crate::common::Backend;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::http::{Request, StatusCode};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// What a refused handshake is told.
#[derive(Debug)]
struct Refused {
    status: u16,
    error_type: String,
    message: String,
}

type Handshake = Result<WebSocketStream<TcpStream>, Refused>;

async fn connect(url: &str, headers: &[(&str, &str)]) -> Handshake {
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(axum::http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    let uri = request.uri();
    let stream = TcpStream::connect((uri.host().unwrap(), uri.port_u16().unwrap())).await.unwrap();
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => {
            let body: Value =
                serde_json::from_slice(response.body().as_deref().unwrap_or(b"{}")).unwrap_or_default();
            let error_type = response.headers().get("x-amzn-errortype");
            Err(Refused {
                status: response.status().as_u16(),
                error_type: error_type.map_or_else(String::new, |value| value.to_str().unwrap().to_owned()),
                message: body["message"].as_str().unwrap_or_default().to_owned(),
            })
        }
        Err(other) => panic!("{other}"),
    }
}

/// The status of a handshake, 101 if it succeeds.
async fn status(url: &str, headers: &[(&str, &str)]) -> u16 {
    connect(url, headers).await.map_or_else(|refused| refused.status, |_| 101)
}

/// Sends a message to `player`, who must be the one on this socket, and returns who sent it.
async fn sender(socket: &mut WebSocketStream<TcpStream>, player: &str) -> String {
    let frame = json!({ "route": "sendMessage", "body": { "playerIds": [player], "message": "x" } });
    socket.send(Message::text(frame.to_string())).await.unwrap();
    loop {
        let frame =
            tokio::time::timeout(Duration::from_secs(20), socket.next()).await.unwrap().unwrap().unwrap();
        if let Ok(push) = serde_json::from_str::<Value>(frame.to_text().unwrap())
            && push["type"] == "message"
        {
            return push["senderId"].as_str().unwrap().to_owned();
        }
    }
}

/// Both homes of sockets.
fn both(arguments: &[&str], profile: &str) -> [Backend; 2] {
    let doors = [arguments, &["--front-doors", "2"]].concat();
    [Backend::start(arguments, profile), Backend::start(&doors, profile)]
}

async fn post(url: String, body: &Value) -> Value {
    let answer = Client::new().post(url).json(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

/// A credential of the local provider; `place` is `/token` or `/steam/token`.
async fn credential(backend: &Backend, place: &str, body: &Value) -> String {
    let answer = post(format!("{}{place}", backend.endpoints.identity), body).await;
    answer["token"].as_str().unwrap().to_owned()
}

async fn page(backend: &Backend) -> Vec<String> {
    let url = format!("{}/.well-known/jwks.json", backend.endpoints.identity);
    let page: Value = Client::new().get(url).send().await.unwrap().json().await.unwrap();
    page["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn steam_vouches_for_tickets() {
    for backend in both(&["--auth", "steam"], "") {
        let url = backend.endpoints.websocket.as_str();
        let ticket = credential(&backend, "/steam/token", &json!({ "playerId": "ann" })).await;
        let (steam, bearer) = (format!("Steam {ticket}"), format!("Bearer {ticket}"));
        for headers in
            [&[("authorization", steam.as_str())][..], &[("authorization", &bearer), ("x-player-id", "ann")]]
        {
            let mut ann = connect(url, headers).await.unwrap();
            assert_eq!(sender(&mut ann, "ann").await, "ann");
        }
        assert_eq!(status(&format!("{url}?token={ticket}"), &[]).await, 101);

        assert_eq!(status(url, &[]).await, 401);
        assert_eq!(status(url, &[("x-player-id", "ann")]).await, 401);
        assert_eq!(status(url, &[("authorization", &steam), ("x-player-id", "eve")]).await, 403);
        let forged = format!("Steam {}00", &ticket[..ticket.len() - 2]);
        for wrong in [&forged, "Steam 14", "Steam nonsense", &format!("Basic {ticket}")] {
            assert_eq!(status(url, &[("authorization", wrong)]).await, 403, "{wrong}");
        }
        for bans in [json!({ "vacBanned": true }), json!({ "publisherBanned": true })] {
            let request = json!({ "playerId": "cheat", "bans": bans });
            let ticket = format!("Steam {}", credential(&backend, "/steam/token", &request).await);
            assert_eq!(status(url, &[("authorization", &ticket)]).await, 403, "{bans}");
        }
        let many = json!({ "playerIds": ["a", "b"] });
        let many = post(format!("{}/steam/tokens", backend.endpoints.identity), &many).await;
        assert_eq!(status(&format!("{url}?token={}", many["tokens"][1].as_str().unwrap()), &[]).await, 101);
    }
}

#[tokio::test]
async fn steam_that_is_down_and_tickets_that_have_ended() {
    for (profile, expected) in
        [("[identity]\nfailure_rate = 1.0", 500), ("[identity]\ntoken_lifetime_s = 0", 403)]
    {
        let backend = Backend::start(&["--auth", "steam"], profile);
        let ticket = credential(&backend, "/steam/token", &json!({ "playerId": "ann" })).await;
        let header = format!("Steam {ticket}");
        assert_eq!(status(&backend.endpoints.websocket, &[("authorization", &header)]).await, expected);
    }
}

/// What somebody else's authorizer would see.
#[tokio::test]
async fn the_local_steam_answers_as_the_real_one() {
    let backend = Backend::start(&["--auth", "steam"], "");
    let ticket = credential(&backend, "/steam/token", &json!({ "playerId": "76561197960265729" })).await;
    let path = "/ISteamUserAuth/AuthenticateUserTicket/v1/";
    let ask = async |query: &[(&str, &str)]| {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let url = format!("{}{path}?{query}", backend.endpoints.identity);
        let answer = Client::new().get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let key = ("key", "local-publisher-key");
    let (status, body) =
        ask(&[key, ("appid", "480"), ("ticket", &ticket), ("identity", "reference-backend")]).await;
    let owner = json!({ "result": "OK", "steamid": "76561197960265729", "ownersteamid": "76561197960265729",
        "vacbanned": false, "publisherbanned": false });
    assert_eq!(status, 200);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({ "response": { "params": owner } }));
    for (appid, ticket, code, words) in
        [("480", "14", 101, "Invalid ticket"), ("481", ticket.as_str(), 102, "Ticket for other app")]
    {
        let (status, body) = ask(&[key, ("appid", appid), ("ticket", ticket)]).await;
        let error = json!({ "errorcode": code, "errordesc": words });
        assert_eq!(status, 200);
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({ "response": { "error": error } }));
    }
    let (status, body) = ask(&[("key", "guess"), ("appid", "480"), ("ticket", &ticket)]).await;
    assert!(status == 403 && body.contains("key=") && !body.contains("guess"), "{status} {body}");
    assert_eq!(ask(&[key, ("appid", "480")]).await.0, 400);
}

#[tokio::test]
async fn keys_rotate_when_told_and_old_ones_end_after_their_grace() {
    let backend = Backend::start(&["--auth", "jwt"], "[identity]\nkey_grace_s = 3");
    let url = backend.endpoints.websocket.as_str();
    let ann = json!({ "playerId": "ann" });
    let old = format!("Bearer {}", credential(&backend, "/token", &ann).await);
    let first = page(&backend).await;
    assert_eq!(status(url, &[("authorization", &old)]).await, 101);

    let asked = Instant::now();
    let rotated = post(format!("{}/keys/rotate", backend.endpoints.identity), &json!({})).await;
    let new = format!("Bearer {}", credential(&backend, "/token", &ann).await);
    assert_eq!(status(url, &[("authorization", &new)]).await, 101, "the new key counts at once");
    let (published, old_status) = (page(&backend).await, status(url, &[("authorization", &old)]).await);
    if asked.elapsed() < Duration::from_secs(3) {
        assert_eq!(published, [rotated["kid"].as_str().unwrap(), first[0].as_str()]);
        assert_eq!(old_status, 101, "so does the old one, for its grace");
    }
    while status(url, &[("authorization", &old)]).await == 101 {
        assert!(asked.elapsed() < Duration::from_secs(60), "the old key never ends");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(asked.elapsed() >= Duration::from_secs(3));
    assert_eq!(status(url, &[("authorization", &old)]).await, 403);
    assert_eq!(page(&backend).await, [rotated["kid"].as_str().unwrap()]);
    assert_eq!(status(url, &[("authorization", &new)]).await, 101);
}

#[tokio::test]
async fn keys_rotate_by_themselves() {
    let backend = Backend::start(&["--auth", "token"], "[identity]\nkey_rotation_s = 1");
    let url = backend.endpoints.websocket.as_str();
    let token = format!("Bearer {}", credential(&backend, "/token", &json!({ "playerId": "ann" })).await);
    let (first, begin) = (page(&backend).await, Instant::now());
    while page(&backend).await[0] == first[0] {
        assert!(begin.elapsed() < Duration::from_secs(60), "the key never changes");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(page(&backend).await.contains(&first[0]), "still published");
    assert_eq!(status(url, &[("authorization", &token)]).await, 101);
}

/// A client with AWS credentials.
#[derive(Clone, Copy)]
struct Signer<'a> {
    key: &'a str,
    secret: &'a str,
    /// How long ago it signs.
    age: Duration,
    /// Presigns, for so many seconds.
    expires: Option<u64>,
}

const LOCAL: Signer<'static> = Signer { key: "local", secret: "local", age: Duration::ZERO, expires: None };
const PRESIGNING: Signer<'static> = Signer { expires: Some(60), ..LOCAL };

impl Signer<'_> {
    /// The URL and the headers of a signed request.
    fn sign(
        self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (String, Vec<(String, String)>) {
        let mut settings = SigningSettings::default();
        if let Some(seconds) = self.expires {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(seconds));
        }
        let identity = Credentials::new(self.key, self.secret, None, None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name("execute-api")
            .time(SystemTime::now() - self.age)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let signable =
            SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
        let mut request = Request::builder().method(method).uri(url).body(()).unwrap();
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(axum::http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        instructions.apply_to_request_http1x(&mut request);
        let headers = request.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        (request.uri().to_string(), headers)
    }

    async fn connect(self, url: &str, headers: &[(&str, &str)]) -> Handshake {
        let (url, headers) = self.sign("GET", url, headers, b"");
        connect(&url, &borrowed(&headers)).await
    }
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn signed_handshakes_are_proven_and_name_their_player() {
    for backend in both(&["--auth", "iam"], "") {
        let url = backend.endpoints.websocket.as_str();
        let named = format!("{url}?playerId=ann");
        for signer in [LOCAL, PRESIGNING] {
            let mut ann = signer.connect(url, &[("x-player-id", "ann")]).await.unwrap();
            assert_eq!(
                sender(&mut ann, "ann").await,
                "ann",
                "without an authorizer, by the connection's record"
            );
            let mut ann = signer.connect(&named, &[]).await.unwrap();
            assert_eq!(sender(&mut ann, "ann").await, "ann");
            assert_eq!(signer.connect(url, &[]).await.unwrap_err().status, 403, "signed, but nobody");
            assert_eq!(signer.connect(&named, &[("x-player-id", "eve")]).await.unwrap_err().status, 403);
        }

        let refused = connect(url, &[("x-player-id", "ann")]).await.unwrap_err();
        assert_eq!((refused.status, refused.message.as_str()), (403, "Missing Authentication Token"));
        assert_eq!(refused.error_type, "MissingAuthenticationTokenException");
        let refused = Signer { secret: "guess", ..LOCAL }.connect(&named, &[]).await.unwrap_err();
        assert_eq!((refused.status, refused.error_type.as_str()), (403, "InvalidSignatureException"));
        assert!(
            refused.message.starts_with("The request signature we calculated does not match"),
            "{refused:?}"
        );
        let refused = Signer { key: "AKIDNOBODY", ..LOCAL }.connect(&named, &[]).await.unwrap_err();
        assert_eq!(refused.error_type, "UnrecognizedClientException");
        assert_eq!(refused.message, "The security token included in the request is invalid.");
        for signer in [LOCAL, PRESIGNING] {
            let old = Signer { age: Duration::from_secs(3_600), ..signer };
            let refused = old.connect(&named, &[]).await.unwrap_err();
            assert!(refused.message.starts_with("Signature expired: "), "{refused:?}");
        }

        // What is signed cannot be changed, and what is added to a presigned URL does not count.
        let (signed, headers) = LOCAL.sign("GET", &named, &[("x-player-id", "ann")], b"");
        let tampered = connect(&signed.replace("=ann", "=eve"), &borrowed(&headers)).await.unwrap_err();
        assert_eq!(tampered.error_type, "InvalidSignatureException");
        let (presigned, _) = PRESIGNING.sign("GET", url, &[], b"");
        assert_eq!(connect(&presigned, &[("x-player-id", "eve")]).await.unwrap_err().status, 403);
        assert_eq!(
            connect(&presigned.replace("Expires=60", "Expires=600"), &[]).await.unwrap_err().status,
            403
        );
    }
}

#[tokio::test]
async fn requests_to_the_rest_api_are_signed_body_and_all() {
    let backend = Backend::start(&["--auth", "iam"], "");
    let url = format!("{}/placements", backend.endpoints.rest);
    let send = async |body: &'static str, signed: &'static str| {
        let (url, headers) = LOCAL.sign("POST", &url, &[("x-player-id", "ann")], signed.as_bytes());
        let mut request = Client::new().post(url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap()
    };
    assert_eq!(send("{}", "{}").await.status(), StatusCode::ACCEPTED);
    let refused = send("{ }", "{}").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(refused.headers()["x-amzn-errortype"], "InvalidSignatureException");
    let unsigned = Client::new().post(&url).header("x-player-id", "ann").body("{}").send().await.unwrap();
    assert_eq!(unsigned.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn keys_of_a_file_replace_the_built_in_pair() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "AKIDTEST = \"hunter2\"\n").unwrap();
    let path = file.path().to_str().unwrap();
    let backend = Backend::start(&["--auth", "iam", "--iam-keys", path], "");
    let named = format!("{}?playerId=ann", backend.endpoints.websocket);
    assert!(Signer { key: "AKIDTEST", secret: "hunter2", ..LOCAL }.connect(&named, &[]).await.is_ok());
    assert_eq!(LOCAL.connect(&named, &[]).await.unwrap_err().error_type, "UnrecognizedClientException");

    std::fs::write(file.path(), "AKIDTEST = hunter2\n").unwrap();
    for (arguments, remedy) in [
        (["--auth", "iam", "--iam-keys", path], "SECRET"),
        (["--auth", "token", "--iam-keys", path], "--auth iam"),
    ] {
        let (mut command, _profile) = crate::common::serve(&arguments, "");
        let output = command.output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(remedy) && !error.contains("hunter2"), "{error}");
    }
}

/// However much is logged.
#[tokio::test]
async fn nothing_that_proves_a_player_is_logged() {
    for (auth, doors) in [("token", 1), ("steam", 2), ("iam", 1), ("iam", 2)] {
        let doors = doors.to_string();
        let arguments = ["--auth", auth, "--front-doors", &doors];
        let (mut command, profile) = crate::common::serve(&arguments[..if doors == "1" { 2 } else { 4 }], "");
        command.env("RUST_LOG", "trace").stderr(Stdio::piped());
        let mut backend = Backend::from(command, profile);
        let mut log = backend.child().stderr.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            log.read_to_string(&mut text).unwrap();
            text
        });
        let url = backend.endpoints.websocket.clone();
        let mut secrets = Vec::new();
        if auth == "iam" {
            for signer in [LOCAL, PRESIGNING] {
                for (url, headers) in [
                    signer.sign("GET", &format!("{url}?playerId=ann"), &[], b""),
                    Signer { secret: "guess", ..signer }.sign(
                        "GET",
                        &format!("{url}?playerId=ann"),
                        &[],
                        b"",
                    ),
                ] {
                    drop(connect(&url, &borrowed(&headers)).await);
                    let shown = headers.iter().find(|(name, _)| name == "authorization");
                    let shown = shown.map_or(url.as_str(), |(_, value)| value.as_str());
                    secrets.push(shown.split("Signature=").nth(1).unwrap()[..64].to_owned());
                }
            }
        } else {
            let place = if auth == "steam" { "/steam/token" } else { "/token" };
            let good = credential(&backend, place, &json!({ "playerId": "ann" })).await;
            let wrong = format!("{}00", &good[..good.len() - 2]);
            for credential in [good, wrong] {
                drop(connect(&url, &[("authorization", &format!("Bearer {credential}"))]).await);
                drop(connect(&format!("{url}?token={credential}"), &[]).await);
                secrets.push(credential[credential.len() - 40..].to_owned());
            }
            if auth == "steam" {
                let path =
                    "/ISteamUserAuth/AuthenticateUserTicket/v1/?key=hunter2hunter2&appid=480&ticket=14";
                drop(Client::new().get(format!("{}{path}", backend.endpoints.identity)).send().await);
                secrets.push("hunter2hunter2".into());
            }
        }
        assert!(secrets.iter().all(|secret| secret.len() >= 14));
        drop(backend);
        let text = reading.join().unwrap();
        assert!(text.lines().count() > 3, "{auth}: it was told to log: {text}");
        for secret in secrets {
            assert!(!text.contains(&secret), "{auth}: {secret} is in the log");
        }
    }
}
