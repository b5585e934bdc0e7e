//! The HTTP client of the AWS SDKs, without a proxy for this machine and with a size limit for answers.
//!
//! The SDKs follow `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. If only the first two are set, requests to a stack on
//! 127.0.0.1 would go to the proxy. The decision is made per request, by its URL, because one credentials chain may use
//! local and remote services.

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

/// Size limit of an answer: a page of DynamoDB has at most 16 MiB, plus JSON.
const LONGEST: usize = 64 * 1024 * 1024;

/// The client, for `aws_config`'s loader.
#[must_use]
pub fn client() -> SharedHttpClient {
    SharedHttpClient::new(ByHost { near: with(ProxyConfig::disabled), far: with(ProxyConfig::from_env) })
}

/// The SDKs' client with this proxy setting.
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
