//! What reading costs, said before and after.

use prices::{Item, PriceList};
use reports::format::{CloudWatch as CloudWatchFile, FetchCost};
use scenarios::plan::CloudWatch;
use scenarios::plan::way::is_loopback;

/// What is going to be read.
pub(super) fn before(metrics: usize) -> String {
    format!("reading {metrics} metrics: {}", price(metrics as f64, 0.0))
}

/// What the logs are going to cost; `bytes`: what the functions wrote in the window, if that is known.
pub(super) fn before_logs(bytes: Option<f64>) -> String {
    match bytes {
        Some(bytes) => {
            format!("scanning about {:.1} MB of logs: {}", bytes / 1e6, price(0.0, bytes))
        }
        None => {
            "scanning the logs of the window, of a size that CloudWatch does not tell"
                .into()
        }
    }
}

/// What the functions wrote in the window.
pub(super) fn log_bytes(fetched: &CloudWatchFile) -> Option<f64> {
    let written = fetched.series.iter().filter(|one| one.namespace == "AWS/Logs" && !one.points.is_empty());
    let bytes: Vec<f64> = written.flat_map(|one| &one.points).map(|(_, bytes)| *bytes).collect();
    (!bytes.is_empty()).then(|| bytes.iter().sum())
}

/// What was read.
pub(crate) fn after(cost: FetchCost, wanted: &CloudWatch) -> String {
    let FetchCost { metrics, calls, scanned_bytes } = cost;
    let scanned =
        if scanned_bytes > 0 { format!(" and scanned {scanned_bytes} bytes of logs") } else { String::new() };
    let local = wanted.endpoint.as_ref().is_some_and(is_loopback);
    let price = if local { "a local stack asks for no money".into() } else { price(metrics as f64, scanned_bytes as f64) };
    format!("read {metrics} metrics in {calls} calls{scanned}: {price}")
}

/// By the shipped price list.
fn price(metrics: f64, scanned_bytes: f64) -> String {
    let prices = PriceList::shipped();
    let amount = prices.price(Item::MetricsRead).of(metrics)
        + prices.price(Item::LogsScannedGb).of(Item::gigabytes(scanned_bytes));
    format!("about {} {amount:.4}", prices.currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reading_costs_is_told() {
        assert_eq!(before(220), "reading 220 metrics: about USD 0.0022");
        assert_eq!(before_logs(Some(1024.0 * 1024.0 * 1024.0)), "scanning about 1073.7 MB of logs: about USD 0.0050");
        let mut wanted = scenarios::cloudwatch("s.toml", "[cloudwatch]\nfunctions = [\"a\"]\n", &[], false).unwrap();
        let cost = FetchCost { metrics: 1_000, calls: 12, scanned_bytes: 0 };
        assert_eq!(after(cost, &wanted), "read 1000 metrics in 12 calls: about USD 0.0100");
        wanted.endpoint = Some("http://127.0.0.1:8081".parse().unwrap());
        assert_eq!(after(cost, &wanted), "read 1000 metrics in 12 calls: a local stack asks for no money");
    }
}
