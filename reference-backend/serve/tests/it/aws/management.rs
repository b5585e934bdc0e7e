//! The Management API's adapter, the real SDK in it, against the local stack's Management API.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use reference_backend::ports::{ConnectionAddress, PushError, Pusher as _};
use reference_backend_aws::apigatewaymanagement::{Endpoint, Management};
use reference_backend_local::profile::Profile;
use reference_backend_local::stack::{LocalStack, StackConfig};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::config;

/// A client learns its connection id from an error frame only.
const BROKEN_ROUTE: &str = "[lambda.functions.SendMessage]\nerror_rate = 1.0\n";

struct Player {
    stack: LocalStack,
    socket: WebSocketStream<TcpStream>,
    address: ConnectionAddress,
}

impl Player {
    /// A stack with one player in it.
    async fn connect(profile: &str) -> Self {
        let profile = Profile::parse(&format!("{BROKEN_ROUTE}{profile}"), "test").unwrap();
        let stack = LocalStack::start(StackConfig { profile, ..StackConfig::default() }).await.unwrap();
        let url = stack.endpoints().websocket.clone();
        let mut request = url.as_str().into_client_request().unwrap();
        let host = request.uri().authority().unwrap().to_string();
        request.headers_mut().insert("X-Player-Id", "ann".parse().unwrap());
        let stream = TcpStream::connect(host).await.unwrap();
        let (mut socket, _) = client_async(request, stream).await.unwrap();
        let provoking = r#"{"route":"sendMessage","body":{"playerIds":["a"],"message":"x"}}"#;
        socket.send(Message::text(provoking)).await.unwrap();
        let frame = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let error: serde_json::Value = serde_json::from_str(&frame).unwrap();
        let management = stack.endpoints().management.clone();
        let domain = management.trim_start_matches("http://").trim_end_matches("/Development");
        let address = ConnectionAddress {
            connection_id: error["connectionId"].as_str().unwrap().to_owned(),
            domain: domain.to_owned(),
            stage: "Development".to_owned(),
        };
        Self { stack, socket, address }
    }

    /// As a Lambda whose `AWS_ENDPOINT_URL` is the control plane.
    async fn pusher(&self) -> Management {
        Management::new(&config(None).await, Endpoint::Base(format!("http://{}", self.address.domain)))
    }

    fn elsewhere(&self, change: impl FnOnce(&mut ConnectionAddress)) -> ConnectionAddress {
        let mut address = self.address.clone();
        change(&mut address);
        address
    }
}

#[tokio::test]
async fn a_push_arrives_as_one_text_frame() {
    let mut player = Player::connect("").await;
    let fixed =
        Management::new(&config(None).await, Endpoint::Fixed(player.stack.endpoints().management.clone()));
    for pusher in [player.pusher().await, fixed] {
        pusher.post(&player.address, Bytes::from_static("{\"wörld\":1}".as_bytes())).await.unwrap();
        assert_eq!(player.socket.next().await.unwrap().unwrap(), Message::text("{\"wörld\":1}"));
    }
}

#[tokio::test]
async fn what_reaches_nobody_is_gone() {
    let mut player = Player::connect("").await;
    let pusher = player.pusher().await;
    let malformed = player.elsewhere(|address| address.connection_id = "short".into());
    assert_eq!(pusher.post(&malformed, Bytes::from_static(b"x")).await, Err(PushError::Gone));
    player.socket.close(None).await.unwrap();
    while player.stack.connections() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(pusher.post(&player.address, Bytes::from_static(b"x")).await, Err(PushError::Gone));
}

#[tokio::test]
async fn refusals_keep_their_meaning() {
    let mut player = Player::connect("").await;
    let pusher = player.pusher().await;
    let longest = Bytes::from(vec![b'x'; 131_072]);
    pusher.post(&player.address, longest.clone()).await.unwrap();
    assert_eq!(player.socket.next().await.unwrap().unwrap().len(), longest.len());
    let longer = Bytes::from(vec![b'x'; 131_073]);
    assert_eq!(pusher.post(&player.address, longer).await, Err(PushError::TooLarge(131_073)));
    let other = player.elsewhere(|address| address.stage = "Production".into());
    assert_eq!(pusher.post(&other, Bytes::from_static(b"x")).await, Err(PushError::Forbidden));
}

#[tokio::test]
async fn a_throttled_push_is_not_repeated_by_the_adapter() {
    // The provoking frame took one of two; one push more may go.
    let player = Player::connect("[gateway]\nrequests_per_second = 1\nrequest_burst = 2").await;
    let pusher = player.pusher().await;
    let outcomes = [
        pusher.post(&player.address, Bytes::from_static(b"1")).await,
        pusher.post(&player.address, Bytes::from_static(b"2")).await,
    ];
    assert_eq!(outcomes, [Ok(()), Err(PushError::Throttled)]);
}

#[tokio::test]
async fn no_answer_is_no_verdict_on_the_connection() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = ConnectionAddress {
        connection_id: "TXzPWdnOjoECGjA=".into(),
        domain: closed.to_string(),
        stage: "Development".into(),
    };
    // Nobody listens there, neither with TLS (as on AWS) nor without.
    for endpoint in [Endpoint::OfConnection, Endpoint::Base(format!("http://{closed}"))] {
        let outcome =
            Management::new(&config(None).await, endpoint).post(&address, Bytes::from_static(b"x")).await;
        assert!(matches!(outcome, Err(PushError::Unavailable(_))), "{outcome:?}");
    }
}
