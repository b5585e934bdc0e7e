//! Tables and streams of a DynamoDB (`serve --dynamodb`) instead of the embedded ones.

mod error;
mod profile;
mod shards;
mod storage;
mod streams;

pub use self::error::DynamoDbError;
pub use self::storage::DynamoDb;
