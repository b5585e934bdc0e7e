//! GameLift's queues, and the topics to which they tell what became of placements.

use reports::format::{LimitKind, Subscription};
use serde::Deserialize;
use serde_json::json;

use super::{Inventory, Scope, arn};
use crate::aws::{Api, Call, Page, Service};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Queues {
    #[serde(default)]
    game_session_queues: Vec<Queue>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Queue {
    name: String,
    timeout_in_seconds: Option<f64>,
    notification_target: Option<String>,
}

impl Page for Queues {
    type Item = Queue;

    fn split(self) -> (Vec<Queue>, Option<String>) {
        (self.game_session_queues, self.next_token)
    }
}

/// The queues of the backend.
pub(super) async fn queues(api: &Api, scope: &Scope, inventory: &mut Inventory) {
    let call = |token: Option<&str>| {
        let parameters = token.map_or_else(|| json!({}), |token| json!({ "NextToken": token }));
        Call::json(Service::GameLift, "DescribeGameSessionQueues", &parameters)
    };
    let queues = api.list::<Queues>(call).await;
    for queue in queues.into_iter().filter(|queue| scope.owns(&queue.name)) {
        if let Some(timeout) = queue.timeout_in_seconds {
            let source = "gamelift:DescribeGameSessionQueues";
            inventory.limit(LimitKind::QueueTimeoutS, &queue.name, timeout, source);
        }
        if let Some(topic) = queue.notification_target.filter(|topic| topic.contains(":sns:")) {
            inventory.topics.insert(arn::last(&topic).to_owned());
            subscriptions(api, &topic, inventory).await;
        }
        inventory.queues.insert(queue.name);
    }
}

/// The functions that a topic calls.
async fn subscriptions(api: &Api, topic: &str, inventory: &mut Inventory) {
    let call = Call::form(Service::Sns, "2010-03-31", "ListSubscriptionsByTopic", &[("TopicArn", topic)]);
    // One page has a hundred, far more than a queue's topic has.
    let Some(answer) = api.ask_text(&call).await else { return };
    for function in endpoints(&answer).filter_map(arn::function) {
        let (topic, function) = (arn::last(topic).to_owned(), function.to_owned());
        inventory.wiring.subscriptions.push(Subscription { topic, function });
    }
}

/// The subscribers' addresses in an answer of SNS, which speaks nothing but XML. An ARN has no character that XML escapes.
fn endpoints(answer: &str) -> impl Iterator<Item = &str> {
    answer.split("<Endpoint>").skip(1).filter_map(|rest| rest.split("</Endpoint>").next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscribers_stand_between_their_tags() {
        let answer = "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions><member>\
                      <TopicArn>arn:aws:sns:eu-west-1:1:placements</TopicArn><Protocol>lambda</Protocol>\
                      <Endpoint>arn:aws:lambda:eu-west-1:1:function:game-Event:Staging</Endpoint></member><member>\
                      <Endpoint>someone@example.com</Endpoint></member></Subscriptions>";
        let functions: Vec<_> = endpoints(answer).filter_map(arn::function).collect();
        assert_eq!(functions, ["game-Event"]);
        assert_eq!(endpoints("").count(), 0);
    }
}
