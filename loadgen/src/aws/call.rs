//! One call.

use http::Method;
use serde_json::Value;
use url::Url;

use super::service::Service;

/// A call, and the permission that it needs.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(super) service: Service,
    pub(super) permission: String,
    pub(super) method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    /// Media type and content.
    pub(super) body: Option<(&'static str, Vec<u8>)>,
    /// The header `X-Amz-Target`.
    pub(super) target: Option<String>,
}

impl Call {
    /// An operation of a service that takes JSON at one path.
    pub(crate) fn json(service: Service, operation: &str, parameters: &Value) -> Self {
        Self {
            service,
            permission: format!("{}:{operation}", service.name()),
            method: Method::POST,
            path: "/".into(),
            query: Vec::new(),
            body: Some((service.media_type(), parameters.to_string().into_bytes())),
            target: Some(format!("{}.{operation}", service.target())),
        }
    }

    /// An action of a service that takes a form, as the older ones do.
    pub(crate) fn form(service: Service, version: &str, action: &str, parameters: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([("Action", action), ("Version", version)]).extend_pairs(parameters);
        Self {
            service,
            permission: format!("{}:{action}", service.name()),
            method: Method::POST,
            path: "/".into(),
            query: Vec::new(),
            body: Some(("application/x-www-form-urlencoded; charset=utf-8", form.finish().into_bytes())),
            target: None,
        }
    }

    /// A `GET` of a service that has paths.
    pub(crate) fn get(service: Service, permission: &str, path: impl Into<String>) -> Self {
        Self {
            service,
            permission: format!("{}:{permission}", service.name()),
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            body: None,
            target: None,
        }
    }

    /// With a parameter in the query string, if there is one.
    pub(crate) fn with(mut self, key: &'static str, value: Option<&str>) -> Self {
        self.query.extend(value.map(|value| (key, value.to_owned())));
        self
    }

    /// Its address.
    pub(super) fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        let beneath = base.path().trim_end_matches('/');
        url.set_path(&format!("{beneath}{}", self.path));
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}
