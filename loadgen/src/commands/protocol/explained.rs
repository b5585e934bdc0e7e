//! A protocol in sentences, for people and for programs.

use protocol::protocol::Sending;
use protocol::template::Sample;
use protocol::{Protocol, explain};
use reports::printable;
use serde_json::{Value, json};

/// A protocol in sentences: its description, what happens on every socket, then each operation under its name.
pub(super) fn text(protocol: &dyn Protocol) -> String {
    let outline = protocol.outline();
    let mut lines = vec![headed(&outline.name, &outline.description)];
    lines.extend(explain::socket(protocol).iter().map(|sentence| format!("  {sentence}")));
    for (number, operation) in outline.operations.iter().enumerate() {
        lines.push(headed(&operation.name, &operation.description));
        lines.extend(explain::sampled(protocol, number).iter().map(|sentence| format!("  {sentence}")));
    }
    let lines = lines.iter().map(|line| format!("{}\n", printable::line(line)));
    lines.collect()
}

fn headed(name: &str, description: &str) -> String {
    if description.is_empty() { name.to_owned() } else { format!("{name}: {description}") }
}

/// The same as values.
pub(super) fn values(protocol: &dyn Protocol) -> Value {
    let outline = protocol.outline();
    let operations = outline.operations.iter().enumerate().map(|(number, operation)| {
        let sample = Sample { kept: &outline.kept, parameters: operation.parameters.clone() };
        json!({
            "name": operation.name,
            "description": operation.description,
            "sends": protocol.write(Sending::Operation(number), &sample).ok(),
            "push": operation.push.and_then(|push| outline.pushes.get(push)).map(|push| &push.name),
            "parameters": operation.parameters,
            "sentences": explain::sampled(protocol, number),
        })
    });
    json!({
        "name": outline.name,
        "description": outline.description,
        "socket": explain::socket(protocol),
        "operations": operations.collect::<Vec<_>>(),
    })
}
