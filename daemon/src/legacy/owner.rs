//! Whose a connection on loopback is. TCP has no credentials of peers, but the kernel lists every
//! socket with its owner; a connection that is not found there is nobody's, and closed.
//!
//! A socket that its process has let go of stands in the list as user 0 with no inode. It counts
//! as nobody's: otherwise anybody could leave a request behind and pass for root.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Whether this system says whose a connection is.
pub(super) const IS_TOLD: bool = cfg!(target_os = "linux");

/// Most of a list that is read, in bytes: some 28,000 sockets. Who stands after that is nobody's.
const LONGEST: u64 = 4 * 1_024 * 1_024;

/// A list that changes while it is read may leave a line out, so it is read again so often.
const LOOKS: u32 = 3;

/// The user at the other end of a connection from `client` to `server`; nothing if the kernel
/// does not say.
pub(super) fn of(client: SocketAddr, server: SocketAddr) -> Option<u32> {
    let look = || {
        ["/proc/net/tcp", "/proc/net/tcp6"]
            .into_iter()
            .find_map(|list| in_list(&read(list)?, client, server))
    };
    (0..LOOKS).find_map(|_| look())
}

fn read(path: &str) -> Option<String> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The owner of the socket that is `client` and is connected to `server`, in a list as
/// `proc_pid_net(5)` has it: `sl local remote state queues timer retransmits uid timeout inode …`.
fn in_list(list: &str, client: SocketAddr, server: SocketAddr) -> Option<u32> {
    let owner = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
        let [_, local, remote, _, _, _, _, uid, _, inode] = *words else {
            return None;
        };
        let is_it = address(local)? == canonical(client) && address(remote)? == canonical(server);
        let has_process = inode != "0";
        (is_it && has_process).then(|| uid.parse().ok()).flatten()
    };
    list.lines().skip(1).find_map(owner)
}

/// An IPv4 address inside IPv6 is the same peer as the plain one.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// An address as the list has it: words of 32 bits in the machine's order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = ip.get(at..at.checked_add(8)?)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(canonical(SocketAddr::new(ip, port)))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn line(uid: u32, inode: u32) -> String {
        let [client, server] = [9_000_u16, 9_876].map(|port| {
            let ip = u32::from_ne_bytes([127, 0, 0, 1]);
            format!("{ip:08X}:{port:04X}")
        });
        format!(
            "   0: {client} {server} 01 00000000:00000000 00:00000000 00000000  {uid}        0 {inode} 1 0 20 4 30 10 -1\n"
        )
    }

    fn found(list: &str) -> Option<u32> {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        in_list(&format!("{HEAD}{list}"), at(9_000), at(9_876))
    }

    #[test]
    fn the_owner_of_a_connection_is_read_from_its_line() {
        assert_eq!(found(&line(1_000, 77)), Some(1_000));
        assert_eq!(found(&line(0, 77)), Some(0));
    }

    #[test]
    fn a_socket_that_nobody_holds_any_more_is_not_roots() {
        assert_eq!(found(&line(0, 0)), None);
    }

    #[test]
    fn what_is_no_such_line_is_nobodys() {
        let whole = line(1_000, 77);
        let (half, _) = whole.split_at(60);
        for broken in ["", "x\n", &whole.replace("1000", "-7"), half] {
            assert_eq!(found(broken), None, "{broken}");
        }
        let other = whole.replace(":2694", ":2695");
        assert_eq!(found(&other), None, "another port of ours");
    }

    #[test]
    fn an_address_inside_ipv6_is_the_same_peer() {
        let [zero, mark, ip] = [[0; 4], [0, 0, 0xff, 0xff], [127, 0, 0, 1]]
            .map(|bytes| format!("{:08X}", u32::from_ne_bytes(bytes)));
        let text = format!("{zero}{zero}{mark}{ip}:2694");
        assert_eq!(address(&text), address(&format!("{ip}:2694")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_names_the_owner_of_a_connection_of_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let client = TcpStream::connect(server).unwrap();
        let own = rustix::process::geteuid().as_raw();
        assert_eq!(of(client.local_addr().unwrap(), server), Some(own));
        let (accepted, peer) = listener.accept().unwrap();
        drop((client, accepted));
        assert_eq!(of(peer, server), None);
    }
}
