//! SNS's API, of which one action is needed: who hears of the placements' topic. SNS takes forms and answers in XML.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use super::account::ACCOUNT_ID;

/// The namespace of its answers.
const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The one subscription: a function hears of a topic.
#[derive(Debug)]
pub(super) struct SnsSubscription {
    /// ARN of the topic.
    pub(super) topic: String,
    /// ARN of the function, of its alias as in the deployment template.
    pub(super) function: String,
}

impl SnsSubscription {
    /// Answers an action of the API.
    pub(super) fn answer(&self, form: &[u8]) -> Response {
        let value = |key: &str| {
            form_urlencoded::parse(form).find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
        };
        match value("Action").as_deref() {
            Some("ListSubscriptionsByTopic") if value("TopicArn").as_ref() == Some(&self.topic) => {
                self.list()
            }
            Some("ListSubscriptionsByTopic") => {
                refusal(StatusCode::NOT_FOUND, "NotFound", "Topic does not exist")
            }
            _ => refusal(
                StatusCode::BAD_REQUEST,
                "InvalidAction",
                "of the APIs that take forms the local stack answers ListSubscriptionsByTopic",
            ),
        }
    }

    fn list(&self) -> Response {
        let Self { topic, function } = self;
        xml(
            StatusCode::OK,
            format!(
                "<ListSubscriptionsByTopicResponse xmlns=\"{NAMESPACE}\"><ListSubscriptionsByTopicResult><Subscriptions><member>\
                 <SubscriptionArn>{topic}:1</SubscriptionArn><Owner>{ACCOUNT_ID}</Owner><Protocol>lambda</Protocol>\
                 <Endpoint>{function}</Endpoint><TopicArn>{topic}</TopicArn></member></Subscriptions>\
                 </ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
            ),
        )
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         </ErrorResponse>"
    );
    xml(status, body)
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "text/xml")], body).into_response()
}
