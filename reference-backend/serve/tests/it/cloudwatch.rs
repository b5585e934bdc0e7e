//! The real `aws-sdk-cloudwatch` reads what the stack measured.

use std::time::{Duration, SystemTime};

use crate::common::Backend;
use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudwatch::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, DimensionFilter, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use aws_sdk_cloudwatch::{Client, Config};

fn client(backend: &Backend) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(&backend.endpoints.cloudwatch);
    Client::from_conf(config.build())
}

fn query(id: &str, metric: Metric, stat: &str, period: i32) -> MetricDataQuery {
    let stat = MetricStat::builder().metric(metric).stat(stat).period(period).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

fn of_lambda(metric: &str, function: &str) -> Metric {
    let name = format!("reference-Development-{function}");
    let dimension = Dimension::builder().name("FunctionName").value(name).build();
    Metric::builder().namespace("AWS/Lambda").metric_name(metric).dimensions(dimension).build()
}

async fn read(client: &Client, queries: Vec<MetricDataQuery>) -> Vec<MetricDataResult> {
    let now = SystemTime::now();
    let answer = client
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from(now - Duration::from_secs(300)))
        .end_time(DateTime::from(now + Duration::from_secs(5)))
        .scan_by(ScanBy::TimestampAscending)
        .send()
        .await
        .unwrap();
    answer.metric_data_results.unwrap()
}

#[tokio::test]
async fn the_sdk_reads_lambda_series_by_second_and_by_minute() {
    let backend = Backend::start(&[], "[lambda.functions.Default]\nduration = { p50_ms = 40 }");
    backend.python("gateway.py", "header_auth");
    let client = client(&backend);

    // `header_auth` opens one socket that is let in, and sends one message to `$default`.
    let queries = vec![
        query("invocations", of_lambda("Invocations", "Default"), "Sum", 60),
        query("seconds", of_lambda("Invocations", "Default"), "Sum", 1),
        query("p99", of_lambda("Duration", "Default"), "p99", 60),
        query("slowest", of_lambda("Duration", "Default"), "Maximum", 1),
        query("busy", of_lambda("ConcurrentExecutions", "Authorizer"), "Maximum", 1),
        query("never", of_lambda("Invocations", "SendMessage"), "Sum", 60),
    ];
    let results = read(&client, queries).await;
    let of = |id: &str| {
        let result = results.iter().find(|result| result.id() == Some(id)).unwrap();
        assert_eq!(result.status_code(), Some(&StatusCode::Complete));
        assert_eq!(result.timestamps().len(), result.values().len());
        result
    };
    let total = |id: &str| of(id).values().iter().sum::<f64>();
    assert!((total("invocations") - 1.0).abs() < 1e-9 && (total("seconds") - 1.0).abs() < 1e-9);
    assert!(of("invocations").timestamps()[0].secs() % 60 == 0);
    assert!((40.0..1_000.0).contains(&of("p99").values()[0]) && of("slowest").values()[0] >= 40.0);
    assert!(of("busy").values().iter().any(|value| *value >= 1.0));
    assert!(of("never").values().is_empty());
}

#[tokio::test]
async fn the_layout_decides_how_many_functions_are_seen() {
    for (arguments, profile, expected) in [
        (&["--layout", "single"][..], "", &["reference-Development-Backend"][..]),
        (&[], "lambda.layout = \"single\"", &["reference-Development-Backend"]),
        (
            &["--layout", "per-operation"],
            "lambda.layout = \"single\"",
            &[
                "reference-Development-Authorizer",
                "reference-Development-Connect",
                "reference-Development-Default",
                "reference-Development-Disconnect",
            ],
        ),
    ] {
        let backend = Backend::start(arguments, profile);
        backend.python("gateway.py", "header_auth");
        let request = client(&backend).list_metrics().namespace("AWS/Lambda").metric_name("Invocations");
        let listed = request.send().await.unwrap();
        let dimensions = listed.metrics().iter().flat_map(Metric::dimensions);
        let mut names: Vec<_> = dimensions.filter_map(Dimension::value).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{arguments:?}");
    }
}

#[tokio::test]
async fn the_sdk_lists_metrics_and_understands_refusals() {
    let backend = Backend::start(&[], "");
    backend.python("gateway.py", "routes");
    let client = client(&backend);

    let filter =
        DimensionFilter::builder().name("FunctionName").value("reference-Development-Connect").build();
    let listed = client.list_metrics().namespace("AWS/Lambda").dimensions(filter).send().await.unwrap();
    let names: Vec<_> = listed.metrics().iter().filter_map(Metric::metric_name).collect();
    assert!(names.contains(&"Invocations") && names.contains(&"Duration"), "{names:?}");
    for (namespace, metric) in [("AWS/ApiGateway", "ConnectCount"), ("AWS/ApiGateway", "MessageCount")] {
        let listed = client.list_metrics().namespace(namespace).metric_name(metric).send().await.unwrap();
        assert_eq!(listed.metrics().len(), 2, "{metric}: by ApiId, and by ApiId and Stage");
    }
    let api = Metric::builder()
        .namespace("AWS/ApiGateway")
        .metric_name("ConnectCount")
        .dimensions(Dimension::builder().name("ApiId").value("local").build());
    let connects = read(&client, vec![query("connects", api.build(), "Sum", 60)]).await;
    assert!((connects[0].values().iter().sum::<f64>() - 2.0).abs() < 1e-9, "{connects:?}");

    let wrong = client
        .get_metric_data()
        .metric_data_queries(query("Wrong", of_lambda("Invocations", "Connect"), "Sum", 60))
        .start_time(DateTime::from_secs(0))
        .end_time(DateTime::from_secs(60))
        .send()
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Some("ValidationError"));
    assert!(wrong.message().unwrap().contains("MetricDataQueries.member.1.Id"));
    let unknown = client.list_dashboards().send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("InvalidAction"));
    let token = client.list_metrics().next_token("nonsense").send().await.unwrap_err();
    assert_eq!(token.code(), Some("InvalidNextToken"));
}

#[tokio::test]
async fn the_sdk_is_told_of_partial_and_forbidden_series_and_of_throttles() {
    let profile = "[cloudwatch]\ndelivery = \"aws\"\ntime_scale = 0.0\npartial_rate = 1.0\nforbidden = [\"Throttles\"]\n\
        calls_per_second = 1";
    let backend = Backend::start(&[], profile);
    backend.python("gateway.py", "header_auth");
    let client = client(&backend);
    let queries = || {
        vec![
            query("invocations", of_lambda("Invocations", "Connect"), "Sum", 1),
            query("throttles", of_lambda("Throttles", "Connect"), "Sum", 60),
        ]
    };
    let results = read(&client, queries()).await;
    let of = |id: &str| results.iter().find(|result| result.id() == Some(id)).unwrap();
    assert_eq!(of("invocations").status_code(), Some(&StatusCode::PartialData));
    assert!(of("invocations").timestamps().iter().all(|at| at.secs() % 60 == 0), "by the minute");
    assert_eq!(of("throttles").status_code(), Some(&StatusCode::Forbidden));
    assert_eq!(of("throttles").messages()[0].code(), Some("Forbidden"));
    assert!(of("throttles").values().is_empty());

    let ask = || {
        let now = SystemTime::now();
        let config =
            Config::builder().retry_config(aws_sdk_cloudwatch::config::retry::RetryConfig::disabled());
        client
            .get_metric_data()
            .set_metric_data_queries(Some(queries()))
            .start_time(DateTime::from(now - Duration::from_secs(300)))
            .end_time(DateTime::from(now))
            .customize()
            .config_override(config)
            .send()
    };
    let answers = futures_util::future::join_all((0..5).map(|_| ask())).await;
    let refused = answers.into_iter().filter_map(Result::err).next().unwrap();
    assert_eq!(refused.code(), Some("ThrottlingException"));
}
