//! What the kernel holds for the players' sockets: bytes that nobody has read yet, and bytes that have not arrived.
//!
//! Asked for over netlink (`sock_diag(7)`): the kernel picks the sockets by the target's port itself, where
//! `/proc/net/tcp` has it write every socket of the machine as text, ten microseconds for each.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::{Socket, protocols::NETLINK_SOCK_DIAG};

/// Room for one of the kernel's answers; each holds many sockets.
const ROOM: usize = 64 * 1024;

/// Bytes received and not yet read, and bytes written and not yet acknowledged, over all connections to `targets`.
///
/// # Errors
/// When the kernel cannot be asked.
pub(super) fn held_for(targets: &[SocketAddr]) -> io::Result<(u64, u64)> {
    let ports: BTreeSet<_> = targets.iter().map(|target| (target.is_ipv4(), target.port())).collect();
    let mut held = (0, 0);
    for (is_ipv4, port) in ports {
        for_each_connection(is_ipv4, port, |remote, received, sent| {
            if targets.contains(&remote) {
                held = (held.0 + u64::from(received), held.1 + u64::from(sent));
            }
        })?;
    }
    Ok(held)
}

/// Tells of each open connection to a port: where to, and the bytes of both queues.
fn for_each_connection(
    is_ipv4: bool,
    port: u16,
    mut tell: impl FnMut(SocketAddr, u32, u32),
) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.send(&question(is_ipv4, port), 0)?;
    let mut answer = vec![0; ROOM];
    loop {
        let size = socket.recv(&mut &mut answer[..], 0)?;
        let mut rest = answer.get(..size).ok_or(io::ErrorKind::InvalidData)?;
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest).map_err(io::Error::other)?;
            match message.payload {
                NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(connection)) => {
                    let header = &connection.header;
                    let id = &header.socket_id;
                    let remote = SocketAddr::new(id.destination_address, id.destination_port);
                    tell(remote, header.recv_queue, header.send_queue);
                }
                NetlinkPayload::Done(_) => return Ok(()),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                _ => {}
            }
            // Messages begin at multiples of four bytes.
            let length = (message.header.length as usize).next_multiple_of(4).max(4);
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

fn question(is_ipv4: bool, port: u16) -> Vec<u8> {
    let (family, any) = if is_ipv4 { (AF_INET, SocketId::new_v4()) } else { (AF_INET6, SocketId::new_v6()) };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::ESTABLISHED,
        socket_id: SocketId { destination_port: port, ..any },
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}
