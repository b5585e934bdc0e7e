//! The JSON Schema that editors read.

use std::path::Path;

use protocol::keys::schema;

#[test]
fn the_checked_in_schema_is_the_one_in_force() {
    let schema = serde_json::to_string_pretty(&schema::json_schema()).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocols/protocol.schema.json");
    docs::generated_file(&path, &schema, "UPDATE_SCHEMA");
}
