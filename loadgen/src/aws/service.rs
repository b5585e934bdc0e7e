//! The services that are asked.

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// AWS Lambda.
    Lambda,
    /// API Gateway, version 2 of its API.
    ApiGateway,
    /// DynamoDB.
    DynamoDb,
    /// DynamoDB Streams.
    Streams,
    /// Amazon GameLift.
    GameLift,
    /// Amazon SNS.
    Sns,
    /// Service Quotas.
    Quotas,
    /// CloudWatch Logs.
    Logs,
}

impl Service {
    /// What its regional host begins with.
    pub(super) const fn host(self) -> &'static str {
        match self {
            Self::Streams => "streams.dynamodb",
            other => other.name(),
        }
    }

    /// The name in signatures and in permissions.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::ApiGateway => "apigateway",
            Self::DynamoDb | Self::Streams => "dynamodb",
            Self::GameLift => "gamelift",
            Self::Sns => "sns",
            Self::Quotas => "servicequotas",
            Self::Logs => "logs",
        }
    }

    /// What the header `X-Amz-Target` begins with; empty: it has paths instead.
    pub(super) const fn target(self) -> &'static str {
        match self {
            Self::Lambda | Self::ApiGateway | Self::Sns => "",
            Self::DynamoDb => "DynamoDB_20120810",
            Self::Streams => "DynamoDBStreams_20120810",
            Self::GameLift => "GameLift",
            Self::Quotas => "ServiceQuotasV20190624",
            Self::Logs => "Logs_20140328",
        }
    }

    /// The media type of its bodies.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::DynamoDb | Self::Streams => "application/x-amz-json-1.0",
            _ => "application/x-amz-json-1.1",
        }
    }
}
