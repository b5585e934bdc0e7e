//! `ListMetrics`: the series.

use serde::{Deserialize, Serialize};

use super::{CloudWatchError, Dimension, offset, token};
use crate::metrics::{MetricId, Metrics};

/// AWS's page size.
const PAGE: usize = 500;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListMetrics {
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Vec<Dimension>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMetricsAnswer {
    metrics: Vec<ListedMetric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedMetric {
    namespace: String,
    metric_name: String,
    dimensions: Vec<Dimension>,
}

/// One page of the series that match the filters.
pub(super) fn answer(metrics: &Metrics, request: &ListMetrics) -> Result<ListMetricsAnswer, CloudWatchError> {
    let from = offset(request.next_token.as_deref())?;
    let to = from.checked_add(PAGE).ok_or(CloudWatchError::InvalidNextToken)?;
    let matching: Vec<_> = metrics.ids().into_iter().filter(|id| request.admits(id)).collect();
    let next_token = (to < matching.len()).then(|| token(to));
    let metrics = matching.into_iter().skip(from).take(PAGE).map(ListedMetric::from).collect();
    Ok(ListMetricsAnswer { metrics, next_token })
}

impl ListMetrics {
    fn admits(&self, id: &MetricId) -> bool {
        let equal =
            |filter: &Option<String>, actual: &str| filter.as_deref().is_none_or(|wanted| wanted == actual);
        equal(&self.namespace, &id.namespace)
            && equal(&self.metric_name, &id.metric)
            && self.dimensions.iter().all(|filter| {
                id.dimensions.iter().any(|(name, value)| *name == filter.name && equal(&filter.value, value))
            })
    }
}

impl From<MetricId> for ListedMetric {
    fn from(id: MetricId) -> Self {
        let dimensions =
            id.dimensions.into_iter().map(|(name, value)| Dimension { name, value: Some(value) });
        Self { namespace: id.namespace, metric_name: id.metric, dimensions: dimensions.collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::metrics::Unit;

    #[test]
    fn filters_and_pages() {
        let metrics = Metrics::default();
        for index in 0..501 {
            let series =
                metrics.series("N", "M", Unit::Count, &[("Index", &index.to_string()), ("Kind", "a")]);
            series.record(SystemTime::now(), 1.0);
        }
        let mut request = ListMetrics { namespace: Some("N".into()), ..ListMetrics::default() };
        request.dimensions = vec![Dimension { name: "Kind".into(), value: None }];
        let first = answer(&metrics, &request).unwrap();
        assert_eq!(first.metrics.len(), PAGE);
        request.next_token = first.next_token;
        let second = answer(&metrics, &request).unwrap();
        assert_eq!((second.metrics.len(), second.next_token), (1, None));

        request.next_token = None;
        request.dimensions.push(Dimension { name: "Index".into(), value: Some("7".into()) });
        assert_eq!(answer(&metrics, &request).unwrap().metrics.len(), 1);
        request.metric_name = Some("other".into());
        assert!(answer(&metrics, &request).unwrap().metrics.is_empty());
        request.next_token = Some("!".into());
        assert_eq!(answer(&metrics, &request).unwrap_err(), CloudWatchError::InvalidNextToken);
    }
}
