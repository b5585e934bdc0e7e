//! Assembles, starts and stops the stack.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum as _;
use reference_backend::function::{Deployment, Function, Table};
use reference_backend::handlers::{AuthMode, Deps, Ports, Settings};
use reference_backend::ports::{Clock, IdentityProvider, SystemClock};
use reference_backend::variables;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::background::Background;
use super::cloudwatch::CloudWatch;
use super::documented::Documented;
use super::dynamodb::DynamoDb;
use super::gamelift::GameLift;
use super::gateway::endpoint::DeployedApi;
use super::gateway::front::{FrontDoors, FrontDoorsConfig, NoFrontDoor};
use super::gateway::iam::IamKeys;
use super::gateway::{Api, Connections, Gateway, GatewayProfileError, Guard, IdentitySource, limit};
use super::http::ControlPlane;
use super::identity::{
    ALGORITHM, APP_ID, AUDIENCE, IDENTITY, ISSUER, LocalIdentity, LocalSteam, PUBLISHER_KEY, SigningError,
};
use super::lambda::LambdaPools;
use super::lambda::endpoint::{Deployed, alias_arn};
use super::lambda::process::{ProcessConfig, ProcessError, Processes};
use super::logs::Logs;
use super::logs::endpoint::LogsApi;
use super::metrics::Metrics;
use super::permissions::Permissions;
use super::profile::Profile;
use super::service_quotas::ServiceQuotas;
use super::sns;
use super::storage::{Memory, OpenStorage, Opening, Storage, StorageError};
use super::streams::{self, Targets};
use super::subscriptions::SnsSubscription;
use super::web::{self, Hosts};

/// `ApiId` of the local stack's WebSocket API.
pub const API_ID: &str = "local";
/// Listen backlog: a load test opens thousands of connections within a second.
const BACKLOG: u32 = 4_096;
/// Grace period of a shutdown for connections and requests.
const GRACE: Duration = Duration::from_secs(5);

/// The configuration of a stack.
#[derive(Debug, Clone)]
pub struct StackConfig {
    /// Address of the WebSocket API; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the control plane.
    pub http_listen: SocketAddr,
    /// Whether it may listen on addresses other than loopback.
    pub allow_remote: bool,
    /// Host names that the control plane accepts besides those of this machine.
    pub allow_hosts: Vec<String>,
    /// Latencies, limits and faults.
    pub profile: Profile,
    /// How players authenticate.
    pub auth: AuthMode,
    /// With [`AuthMode::Iam`]: the accepted access keys; default: the built-in pair.
    pub iam_keys: IamKeys,
    /// Names of the resources.
    pub deployment: Deployment,
    /// Seed of the faults.
    pub seed: u64,
    /// Runs the functions as processes; default: in this process.
    pub processes: Option<ProcessConfig>,
    /// Processes that hold the sockets; default: this process.
    pub front_doors: Option<FrontDoorsConfig>,
    /// The tables.
    pub storage: Arc<dyn OpenStorage>,
}

impl Default for StackConfig {
    /// Free ports on loopback, the profile `instant`.
    fn default() -> Self {
        let free = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        Self {
            listen: free,
            http_listen: free,
            allow_remote: false,
            allow_hosts: Vec::new(),
            profile: Profile::default(),
            auth: AuthMode::default(),
            iam_keys: IamKeys::new(),
            deployment: Deployment::default(),
            seed: 1,
            processes: None,
            front_doors: None,
            storage: Arc::new(Memory),
        }
    }
}

/// Where the stack is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Sockets: `ws://HOST:PORT/STAGE`.
    pub websocket: String,
    /// Management API; SDKs append `/@connections/{id}`.
    pub management: String,
    /// REST API; clients append `/placements`.
    pub rest: String,
    /// CloudWatch.
    pub cloudwatch: String,
    /// DynamoDB.
    pub dynamodb: String,
    /// GameLift.
    pub gamelift: String,
    /// Identity provider: `/token`, `/tokens`, `/.well-known/jwks.json`; below `/steam` the same for tickets.
    pub identity: String,
}

/// Why the stack did not start.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {source}; choose another address, or port 0 for a free one")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address is reachable from other machines.
    #[error(
        "{0} is reachable from other machines, and the local stack has no real access control; \
             use a loopback address, or allow it explicitly"
    )]
    Remote(SocketAddr),
    /// The profile's gateway section.
    #[error(transparent)]
    Gateway(#[from] GatewayProfileError),
    /// Functions cannot run as processes.
    #[error(transparent)]
    Processes(#[from] ProcessError),
    /// No identity provider.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// A front door could not be started.
    #[error(transparent)]
    FrontDoor(#[from] NoFrontDoor),
    /// The tables could not be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A running stack. It stops when it is dropped; [`shutdown`](Self::shutdown) lets connections end properly first.
pub struct LocalStack {
    endpoints: Endpoints,
    gateway: Arc<Gateway>,
    stop_http: CancellationToken,
    http: AbortOnDropHandle<()>,
    streams: Background,
    storage: Box<dyn Storage>,
    /// Dropped after the gateway, because the last connections still need it.
    _services: Vec<Background>,
    front: Front,
}

/// The processes that accept connections.
enum Front {
    /// This process.
    Here { _accepting: Background },
    /// Front doors.
    Doors(FrontDoors),
}

impl LocalStack {
    /// Starts everything; when this returns, the endpoints answer.
    ///
    /// # Errors
    /// [`StackError`], each with its remedy.
    pub async fn start(config: StackConfig) -> Result<Self, StackError> {
        let StackConfig {
            listen,
            http_listen,
            allow_remote,
            allow_hosts,
            profile,
            auth,
            iam_keys,
            deployment,
            seed,
            processes,
            front_doors,
            storage,
        } = config;
        profile.gateway.check()?;
        let metrics = Metrics::default();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let opening =
            Opening { profile: &profile.tables, deployment: &deployment, metrics: &metrics, clock: &clock };
        let storage = storage.open(&opening).await?;
        let send_buffer = profile.gateway.send_buffer_bytes;
        let listener = bind(listen, allow_remote, front_doors.is_some(), send_buffer)?;
        let http_listener = bind(http_listen, allow_remote, false, 0)?;
        let mut endpoints =
            Endpoints::new(local(&listener, listen)?, local(&http_listener, http_listen)?, &deployment);
        if let Some(url) = storage.endpoint() {
            endpoints.dynamodb = url;
        }

        let api = Api {
            id: API_ID.into(),
            domain: local(&http_listener, http_listen)?.to_string(),
            stage: deployment.stage.clone(),
        };
        let head_patience = limit(profile.gateway.handshake_timeout_s);
        let permissions = Permissions::new(&profile.control);
        let quotas = ServiceQuotas::new(&profile.lambda, &profile.gateway, &profile.tables);
        let documented = Documented::new(&profile);
        let layout = profile.lambda.layout;
        let deployed_api =
            DeployedApi::new(API_ID, &endpoints.websocket, &profile.gateway, &deployment, layout, auth);
        let connections = Connections::of(api, profile.gateway, &metrics, seed);
        let identity = Arc::new(LocalIdentity::new(profile.identity)?);
        let vouching: Arc<dyn IdentityProvider> = match auth {
            AuthMode::Steam => Arc::new(LocalSteam(Arc::clone(&identity))),
            _ => identity.clone(),
        };
        let (topic, messages) = sns::topic(&deployment.resource("PlacementEvents"), &metrics);
        let topic_arn = topic.arn().to_owned();
        let (queue, placing) = GameLift::start(&profile.gamelift, &deployment, &metrics, topic);
        for left in storage.pending_placements() {
            queue.resume(left.placement_id, left.player_id);
        }
        let ports = Ports {
            tables: storage.store(),
            pusher: Arc::new(connections.clone()),
            queue: queue.clone(),
            identity: vouching,
            clock: Arc::clone(&clock),
        };
        let settings = Settings { auth, queue_name: deployment.resource("Queue"), ..Settings::default() };
        let logs = Logs::new(&profile.logs, &metrics);
        let lambda = match processes {
            None => {
                let code = Arc::new(Deps::new(ports, settings));
                LambdaPools::new(&profile.lambda, &deployment, &metrics, &logs, code)
            }
            Some(mut config) => {
                // Variables of the user override the others.
                let mut environment = function_environment(&endpoints, &deployment, &settings);
                environment.append(&mut storage.function_environment());
                environment.append(&mut config.environment);
                config.environment = environment;
                let home = Arc::new(Processes::new(config, layout)?);
                LambdaPools::at_home(&profile.lambda, &deployment, &metrics, &logs, home)
            }
        };
        let subscriber = deployment.lambda_name(layout, Function::OnPlacementEvent);
        let subscription =
            SnsSubscription { topic: topic_arn, function: alias_arn(&subscriber, &deployment) };
        let (streams, mut services) = storage.start(&Targets {
            profile: &profile.streams,
            invoke: lambda.clone(),
            deployment: &deployment,
            layout,
            metrics: &metrics,
            clock,
        });
        services.push(placing);
        services.push(sns::deliver(&profile.sns, messages, lambda.clone(), &subscriber, &metrics));

        let mappings =
            streams::describe(&profile.streams, &deployment, layout, |table| storage.stream_arn(table));
        let deployed = Deployed::new(&profile.lambda, &profile.logs, &deployment, mappings);
        let gateway = Gateway::new(connections, lambda, guard(auth, iam_keys), &metrics);
        let plane = ControlPlane {
            gateway: Arc::clone(&gateway),
            metrics: Arc::new(CloudWatch::new(metrics, &profile.cloudwatch, seed)),
            tables: Arc::new(DynamoDb::new(storage.store(), &deployment, &profile.tables)),
            queue,
            identity,
            deployed: Arc::new(deployed),
            api: Arc::new(deployed_api),
            quotas: Arc::new(quotas),
            documented,
            subscription: Arc::new(subscription),
            logs: Arc::new(LogsApi::new(logs)),
            permissions,
            stage: deployment.stage,
            hosts: Hosts::new(local(&http_listener, http_listen)?.ip(), &allow_hosts),
        };
        let stop_http = CancellationToken::new();
        let serving = web::serve(http_listener, plane.router(), head_patience, stop_http.clone());
        let http = AbortOnDropHandle::new(tokio::spawn(serving));
        let front = match front_doors {
            None => Front::Here { _accepting: Background::with(Arc::clone(&gateway).serve(listener)) },
            Some(config) => {
                let address = local(&listener, listen)?;
                let more = (1..config.count.get()).map(|_| listener_on(address, send_buffer));
                let listeners = std::iter::once(Ok(listener)).chain(more).collect::<Result<_, _>>()?;
                Front::Doors(FrontDoors::start(&gateway, &config, listeners)?)
            }
        };
        Ok(Self { endpoints, gateway, stop_http, http, streams, _services: services, storage, front })
    }

    /// Its endpoints.
    #[must_use]
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Number of open sockets.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.gateway.connections().count()
    }

    /// Closes every socket (1001), waits for each `$disconnect`, then ends the rest.
    pub async fn shutdown(mut self) {
        self.stop_http.cancel();
        if self.storage.outlives() {
            // The sockets are closed, so undelivered records are left to the next process.
            self.streams = Background::default();
        }
        self.gateway.close(GRACE).await;
        if let Front::Doors(doors) = &mut self.front
            && tokio::time::timeout(GRACE, doors.gone()).await.is_err()
        {
            tracing::warn!("front doors did not end by themselves");
        }
        if tokio::time::timeout(GRACE, &mut self.http).await.is_err() {
            tracing::warn!("requests to the control plane were cut off");
        }
        self.storage.close().await;
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        self.gateway.stop();
    }
}

impl Endpoints {
    fn new(socket: SocketAddr, http: SocketAddr, deployment: &Deployment) -> Self {
        let (socket, http, stage) = (reachable(socket), reachable(http), &deployment.stage);
        Self {
            websocket: format!("ws://{socket}/{stage}"),
            management: format!("http://{http}/{stage}"),
            rest: format!("http://{http}/{stage}"),
            cloudwatch: format!("http://{http}"),
            dynamodb: format!("http://{http}"),
            gamelift: format!("http://{http}"),
            identity: format!("http://{http}"),
        }
    }
}

/// The environment variables of the functions, as in the deployment template.
fn function_environment(
    endpoints: &Endpoints,
    deployment: &Deployment,
    settings: &Settings,
) -> Vec<(OsString, OsString)> {
    let auth = settings.auth.to_possible_value();
    let others = [
        (variables::GAME, deployment.game.clone()),
        (variables::STAGE, deployment.stage.clone()),
        (variables::QUEUE, settings.queue_name.clone()),
        (variables::AUTH, auth.map_or_else(String::new, |mode| mode.get_name().to_owned())),
        (variables::JWKS_URL, format!("{}/.well-known/jwks.json", endpoints.identity)),
        (variables::ISSUER, ISSUER.to_owned()),
        (variables::AUDIENCE, AUDIENCE.to_owned()),
        (variables::ALGORITHM, format!("{ALGORITHM:?}")),
        (variables::STEAM_URL, endpoints.identity.clone()),
        (variables::STEAM_APP_ID, APP_ID.to_string()),
        (variables::STEAM_IDENTITY, IDENTITY.to_owned()),
        (variables::STEAM_KEY, PUBLISHER_KEY.to_owned()),
        (variables::MANAGEMENT, endpoints.management.clone()),
        (variables::CLOUDWATCH, endpoints.cloudwatch.clone()),
        (variables::DYNAMODB, endpoints.dynamodb.clone()),
        (variables::GAMELIFT, endpoints.gamelift.clone()),
    ];
    let tables = Table::ALL.map(|table| (variables::table(table), deployment.table_name(table)));
    tables.into_iter().chain(others).map(|(name, value)| (name.into(), value.into())).collect()
}

/// The guard of an authentication mode.
fn guard(auth: AuthMode, keys: IamKeys) -> Guard {
    match auth {
        AuthMode::Header => Guard::Authorizer(&[IdentitySource::Header("x-player-id")]),
        AuthMode::Token | AuthMode::Steam => {
            Guard::Authorizer(&[IdentitySource::Header("authorization"), IdentitySource::Query("token")])
        }
        AuthMode::Iam => Guard::Iam(keys),
    }
}

/// Listens; `shared` allows more listeners on the same port. `send_buffer` is that of every socket that is accepted; 0: the system's.
fn bind(
    address: SocketAddr,
    allow_remote: bool,
    shared: bool,
    send_buffer: u32,
) -> Result<TcpListener, StackError> {
    if !address.ip().is_loopback() {
        if !allow_remote {
            return Err(StackError::Remote(address));
        }
        tracing::warn!(%address, "listening on an address that other machines may reach");
    }
    let listen = || {
        let socket = unbound(address, send_buffer)?;
        socket.bind(address)?;
        // Set after the bind, so that two stacks cannot share a port by accident.
        socket.set_reuseport(shared)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| StackError::Listen { address, source })
}

/// One more listener on a port that is shared.
fn listener_on(address: SocketAddr, send_buffer: u32) -> Result<TcpListener, StackError> {
    let listen = || {
        let socket = unbound(address, send_buffer)?;
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| StackError::Listen { address, source })
}

fn unbound(address: SocketAddr, send_buffer: u32) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if send_buffer > 0 {
        socket.set_send_buffer_size(send_buffer)?;
    }
    socket.set_reuseaddr(true)?;
    Ok(socket)
}

fn local(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, StackError> {
    listener.local_addr().map_err(|source| StackError::Listen { address: asked, source })
}

/// An address that a client on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
