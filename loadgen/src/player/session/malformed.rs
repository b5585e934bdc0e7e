//! What no client should send, as the bytes on the wire.
//!
//! tungstenite masks every frame and refuses most of these, so they are put together here, with its own frame heads.

use scenarios::plan::MAX_MESSAGE_BYTES;
use scenarios::plan::disruptions::ClientFault;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// Largest frame of API Gateway, in bytes.
const MAX_FRAME_BYTES: usize = 32 * 1024;
/// Payload of a frame above that.
const LARGE_FRAME: usize = MAX_FRAME_BYTES + 4096;
/// Any mask will do: what it hides from is a proxy, not the target.
const MASK: [u8; 4] = [0x5a, 0x17, 0xc3, 0x88];

/// The bytes of one case.
pub(in crate::player) fn bytes(kind: ClientFault) -> Vec<u8> {
    let mut wire = Vec::new();
    let good = request(0);
    let text = OpCode::Data(Data::Text);
    match kind {
        ClientFault::OversizedMessage => {
            let payload = request(MAX_MESSAGE_BYTES as usize + 1);
            let last = payload.len().div_ceil(MAX_FRAME_BYTES) - 1;
            for (index, part) in payload.chunks(MAX_FRAME_BYTES).enumerate() {
                let code = if index == 0 { Data::Text } else { Data::Continue };
                let head = FrameHeader { is_final: index == last, ..masked(OpCode::Data(code)) };
                put(&mut wire, &head, part);
            }
        }
        ClientFault::OversizedFrame => put(&mut wire, &masked(text), &request(LARGE_FRAME)),
        ClientFault::BadJson => put(&mut wire, &masked(text), br#"{"route": "sendMessage", "body": {"#),
        ClientFault::BadUtf8 => {
            put(&mut wire, &masked(text), b"{\"route\":\"\xff\xfe\xc3\x28\",\"body\":{}}");
        }
        ClientFault::Unmasked => put(&mut wire, &FrameHeader { mask: None, ..masked(text) }, &good),
        ClientFault::ReservedOpcode => put(&mut wire, &masked(OpCode::Data(Data::Reserved(5))), &good),
        ClientFault::ReservedBit => put(&mut wire, &FrameHeader { rsv1: true, ..masked(text) }, &good),
        ClientFault::Binary => put(&mut wire, &masked(OpCode::Data(Data::Binary)), &good),
        // Nothing of these is sent.
        ClientFault::Cut | ClientFault::SlowReader | ClientFault::HalfOpen => {}
    }
    wire
}

/// A request to a route that no backend defines, of at least `size` bytes: all that is wrong with it is its wrapping.
fn request(size: usize) -> Vec<u8> {
    let (head, tail) = (r#"{"route":"loadgenMalformed","body":{"padding":""#, r#""}}"#);
    let padding = ".".repeat(size.saturating_sub(head.len() + tail.len()));
    [head, &padding, tail].concat().into_bytes()
}

fn masked(opcode: OpCode) -> FrameHeader {
    FrameHeader { opcode, mask: Some(MASK), ..FrameHeader::default() }
}

fn put(wire: &mut Vec<u8>, head: &FrameHeader, payload: &[u8]) {
    // Fails only when its output does, and a vector does not.
    let written = head.format(payload.len() as u64, wire);
    debug_assert!(written.is_ok());
    match head.mask {
        Some(mask) => wire.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask)),
        None => wire.extend_from_slice(payload),
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
    use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

    use super::*;

    /// What a server with API Gateway's limits makes of it.
    fn read(kind: ClientFault) -> Result<Message, Error> {
        let config = WebSocketConfig::default()
            .max_frame_size(Some(MAX_FRAME_BYTES))
            .max_message_size(Some(MAX_MESSAGE_BYTES as usize));
        let stream = std::io::Cursor::new(bytes(kind));
        WebSocket::from_raw_socket(stream, Role::Server, Some(config)).read()
    }

    #[test]
    fn each_kind_is_wrong_in_its_own_way_and_in_no_other() {
        for kind in [ClientFault::OversizedMessage, ClientFault::OversizedFrame] {
            let error = read(kind).unwrap_err();
            assert!(
                matches!(error, Error::Capacity(CapacityError::MessageTooLong { .. })),
                "{kind}: {error:?}"
            );
        }
        assert!(bytes(ClientFault::OversizedFrame).len() < MAX_MESSAGE_BYTES as usize);
        let Ok(Message::Text(text)) = read(ClientFault::BadJson) else { panic!("text") };
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
        let Ok(Message::Binary(good)) = read(ClientFault::Binary) else { panic!("binary") };
        assert!(serde_json::from_slice::<serde_json::Value>(&good).is_ok());
        assert!(matches!(read(ClientFault::BadUtf8), Err(Error::Utf8(_))));
        let protocol = |kind| match read(kind) {
            Err(Error::Protocol(error)) => error,
            other => panic!("{kind}: {other:?}"),
        };
        assert_eq!(protocol(ClientFault::Unmasked), ProtocolError::UnmaskedFrameFromClient);
        assert_eq!(protocol(ClientFault::ReservedOpcode), ProtocolError::InvalidOpcode(5));
        assert_eq!(protocol(ClientFault::ReservedBit), ProtocolError::NonZeroReservedBits);
    }
}
