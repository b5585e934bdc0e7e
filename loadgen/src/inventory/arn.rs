//! Names within ARNs.

/// The function's name in its ARN, in that of an alias, or in the address by which API Gateway invokes it.
pub(super) fn function(text: &str) -> Option<&str> {
    let name = text.split_once(":function:")?.1;
    let end = name.find([':', '/']).unwrap_or(name.len());
    Some(&name[..end]).filter(|name| !name.is_empty())
}

/// The table's name in the ARN of the table, its stream or its index.
pub(super) fn table(text: &str) -> Option<&str> {
    let name = text.split_once(":table/")?.1;
    name.split('/').next().filter(|name| !name.is_empty())
}

/// What stands behind the last `:` or `/`.
pub(super) fn last(text: &str) -> &str {
    text.rsplit([':', '/']).next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_arns() {
        let lambda = "arn:aws:lambda:eu-west-1:123456789012:function:game-Send:Staging";
        assert_eq!(function(lambda), Some("game-Send"));
        let uri =
            format!("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{lambda}/invocations");
        assert_eq!(function(&uri), Some("game-Send"));
        assert_eq!(
            function("arn:aws:lambda:eu-west-1:123456789012:function:game-Send/invocations"),
            Some("game-Send")
        );
        assert_eq!(function("arn:aws:sqs:eu-west-1:123456789012:queue"), None);
        let stream =
            "arn:aws:dynamodb:eu-west-1:123456789012:table/game-Messages/stream/2026-01-01T00:00:00.000";
        assert_eq!(table(stream), Some("game-Messages"));
        assert_eq!(table("arn:aws:kinesis:eu-west-1:123456789012:stream/x"), None);
        assert_eq!(last("arn:aws:sns:eu-west-1:123456789012:placements"), "placements");
    }
}
