//! The HTTP client under the AWS SDKs: theirs, but this machine is never asked through a proxy, and an answer has a bound.
//!
//! By themselves the SDKs do as `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say, and where only the first two are set, a
//! stack on 127.0.0.1 is asked for somewhere else. Which way a request goes is decided by its own URL: one chain of
//! credentials may ask services near and far.

pub mod loopback;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, ConnectorBuilder, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use url::Url;

use crate::loopback::is_loopback;

/// Longest answer that is read: a page of DynamoDB has 16 MiB at most, and JSON around it.
const LONGEST: usize = 64 * 1024 * 1024;

/// The client, to be given to `aws_config`'s loader.
#[must_use]
pub fn client() -> SharedHttpClient {
    SharedHttpClient::new(ByHost { near: with(ProxyConfig::disabled), far: with(ProxyConfig::from_env) })
}

/// The SDKs' own client with this word on proxies.
fn with(proxies: fn() -> ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mode = tls::rustls_provider::CryptoMode::AwsLc;
        let mut connector = ConnectorBuilder::default().tls_provider(tls::Provider::Rustls(mode));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(proxies()));
        connector.build()
    })
}

/// One client for this machine, one for all others.
#[derive(Debug, Clone)]
struct ByHost {
    near: SharedHttpClient,
    far: SharedHttpClient,
}

impl HttpClient for ByHost {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let (settings, components) = (settings.clone(), components.clone());
        SharedHttpConnector::new(Choice { clients: self.clone(), settings, components })
    }
}

#[derive(Debug)]
struct Choice {
    clients: ByHost,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Choice {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let near = Url::parse(request.uri()).is_ok_and(|url| is_loopback(&url));
        let client = if near { &self.clients.near } else { &self.clients.far };
        let answer = client.http_connector(&self.settings, &self.components).call(request);
        HttpConnectorFuture::new(async move {
            Ok(answer.await?.map(|body| SdkBody::from_body_1_x(Limited::new(body, LONGEST))))
        })
    }
}
