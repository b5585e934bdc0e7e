//! The player of a request that is signed with AWS credentials.
//!
//! API Gateway has verified the signature and passes the signer's identity. The signer is the player only if players have
//! credentials of their own, from a Cognito identity pool. Any other signer names the player in the parameter `playerId`
//! or in the header `X-Player-Id`, which counts only if it is signed: the holder of a presigned URL could add any header.

use aws_lambda_events::apigw::ApiGatewayRequestIdentity;
use aws_lambda_events::query_map::QueryMap;
use http::HeaderMap;

use super::caller::{LONGEST_PLAYER_ID, PLAYER_HEADER};

/// Query parameter with the player's id.
const PLAYER_PARAMETER: &str = "playerId";

/// The player, if the request names exactly one.
pub(super) fn player<'a>(
    headers: &'a HeaderMap,
    query: &'a QueryMap,
    identity: &'a ApiGatewayRequestIdentity,
) -> Option<&'a str> {
    let header = match headers.get(PLAYER_HEADER) {
        Some(value) => Some(value.to_str().ok().filter(|_| is_signed(query))?),
        None => None,
    };
    let claims = [identity.cognito_identity_id.as_deref(), query.first(PLAYER_PARAMETER), header];
    let mut claims = claims.into_iter().flatten().filter(|claim| !claim.is_empty());
    let player = claims.next().filter(|player| player.len() <= LONGEST_PLAYER_ID)?;
    claims.all(|claim| claim == player).then_some(player)
}

/// Whether the header is signed. With a signature in the `Authorization` header the sender holds the key, so any header
/// is trusted.
fn is_signed(query: &QueryMap) -> bool {
    if query.first("X-Amz-Signature").is_none() {
        return true;
    }
    query.first("X-Amz-SignedHeaders").is_some_and(|names| names.split(';').any(|name| name == PLAYER_HEADER))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn of(header: Option<&str>, query: &[(&str, &str)], cognito: Option<&str>) -> Option<String> {
        let headers =
            header.map(|value| (http::HeaderName::from_static(PLAYER_HEADER), value.parse().unwrap()));
        let query: HashMap<_, _> =
            query.iter().map(|&(name, value)| (name.to_owned(), vec![value.to_owned()])).collect();
        let mut identity = ApiGatewayRequestIdentity::default();
        identity.cognito_identity_id = cognito.map(str::to_owned);
        player(&headers.into_iter().collect(), &query.into(), &identity).map(str::to_owned)
    }

    const PRESIGNED: (&str, &str) = ("X-Amz-Signature", "abc");

    #[test]
    fn the_signer_names_the_player() {
        assert_eq!(of(Some("ann"), &[], None).as_deref(), Some("ann"));
        assert_eq!(of(None, &[("playerId", "ann")], None).as_deref(), Some("ann"));
        assert_eq!(of(None, &[PRESIGNED, ("playerId", "ann")], None).as_deref(), Some("ann"));
        assert_eq!(of(Some("ann"), &[("playerId", "ann")], Some("ann")).as_deref(), Some("ann"));
        assert_eq!(of(None, &[], None), None);
        assert_eq!(of(Some(""), &[], None), None);
        assert_eq!(of(Some("ann"), &[("playerId", "eve")], None), None);
        assert_eq!(of(Some(&"x".repeat(LONGEST_PLAYER_ID + 1)), &[], None), None);
    }

    #[test]
    fn what_the_holder_of_a_presigned_url_adds_does_not_count() {
        let signed = |names| ("X-Amz-SignedHeaders", names);
        assert_eq!(of(Some("eve"), &[PRESIGNED, signed("host")], None), None);
        assert_eq!(of(Some("eve"), &[PRESIGNED], None), None);
        assert_eq!(of(Some("eve"), &[PRESIGNED, signed("host;x-player-ids")], None), None);
        assert_eq!(of(Some("eve"), &[PRESIGNED, signed("host"), ("playerId", "eve")], None), None);
        assert_eq!(of(Some("ann"), &[PRESIGNED, signed("host;x-player-id")], None).as_deref(), Some("ann"));
    }

    #[test]
    fn players_with_credentials_of_their_own_are_themselves() {
        assert_eq!(of(None, &[], Some("eu-west-1:uuid")).as_deref(), Some("eu-west-1:uuid"));
        assert_eq!(of(Some("eve"), &[], Some("eu-west-1:uuid")), None);
    }
}
