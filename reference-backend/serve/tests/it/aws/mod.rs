//! The AWS adapters, real SDKs in them, against what answers on this machine.

mod contract;
mod dynamodb_local;
mod gamelift;
mod identity;
mod management;
mod queue;
mod serve;
mod steam;
mod tables;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_gamelift::config::Credentials;

/// A Lambda's configuration, without an account behind it.
async fn config(endpoint: Option<&str>) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"));
    match endpoint {
        Some(url) => loader.endpoint_url(url).load().await,
        None => loader.load().await,
    }
}

/// Serves on a free port of this machine until the test ends; returns the URL.
async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
