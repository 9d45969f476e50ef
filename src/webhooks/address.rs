//! Addresses that webhooks may reach.
//!
//! The endpoints' owners choose the URLs, and Latchkey stands in a network that they have no business in. Whatever is not a
//! public unicast address is refused, and so is every IPv6 range that carries an IPv4 address inside, since a gateway could
//! unwrap it to a private one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr as _;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(groups: [u16; 8], prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_segments(groups), prefix))
}

/// What no webhook reaches unless the configuration allows it.
const REFUSED: &[IpNet] = &[
    // this network, and the unspecified address
    v4(0, 0, 0, 0, 8),
    // private
    v4(10, 0, 0, 0, 8),
    // shared by carriers
    v4(100, 64, 0, 0, 10),
    // loopback
    v4(127, 0, 0, 0, 8),
    // link-local, with the metadata services of clouds
    v4(169, 254, 0, 0, 16),
    // private
    v4(172, 16, 0, 0, 12),
    // IETF protocol assignments
    v4(192, 0, 0, 0, 24),
    // documentation
    v4(192, 0, 2, 0, 24),
    // 6to4 relays
    v4(192, 88, 99, 0, 24),
    // private
    v4(192, 168, 0, 0, 16),
    // benchmarking
    v4(198, 18, 0, 0, 15),
    // documentation
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    // multicast
    v4(224, 0, 0, 0, 4),
    // reserved, and broadcast
    v4(240, 0, 0, 0, 4),
    // unspecified, loopback, IPv4-compatible
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96),
    // IPv4-mapped
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96),
    // IPv4-translated (SIIT)
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96),
    // NAT64, well-known and local-use
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
    // discard-only
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
    // IETF protocol assignments: Teredo, benchmarking, ORCHID
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    // documentation
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    // 6to4
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    // documentation
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    // segment routing
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16),
    // unique-local
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    // link-local
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    // site-local, which some networks still route
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
    // multicast
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
];

/// Networks that webhooks may reach although they are not public, and without TLS (`LATCHKEY_WEBHOOK_ALLOW_NETWORKS`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedNetworks(Vec<IpNet>);

impl AllowedNetworks {
    /// Reads `127.0.0.0/8,fd00::/8`; a single address stands for itself alone.
    ///
    /// # Errors
    /// The entry that is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let network = |entry: &str| {
            IpNet::from_str(entry).or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)).map_err(|_| entry.to_owned())
        };
        text.split(',').map(|entry| network(entry.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a webhook may be sent to the address: with TLS to public and allowed ones, without to allowed ones alone.
    pub fn permit(&self, address: IpAddr, tls: bool) -> bool {
        let within = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        within(&self.0) || (tls && !within(REFUSED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(address: &str) -> bool {
        AllowedNetworks::default().permit(address.parse().expect("an address"), true)
    }

    #[test]
    fn the_first_and_the_last_address_of_every_range_are_refused() {
        for (first, last) in [
            ("0.0.0.0", "0.255.255.255"),
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.0.2.0", "192.0.2.255"),
            ("192.88.99.0", "192.88.99.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("198.51.100.0", "198.51.100.255"),
            ("203.0.113.0", "203.0.113.255"),
            ("224.0.0.0", "239.255.255.255"),
            ("240.0.0.0", "255.255.255.255"),
            ("::", "::ffff:ffff"),
            ("::1", "::7f00:1"),
            ("::ffff:0.0.0.0", "::ffff:255.255.255.255"),
            ("::ffff:0:0:0", "::ffff:0:ffff:ffff"),
            ("64:ff9b::", "64:ff9b::ffff:ffff"),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
            ("100::", "100::ffff:ffff:ffff:ffff"),
            ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2001:2::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            assert!(!permitted(first) && !permitted(last), "{first} to {last}");
        }
    }

    #[test]
    fn the_public_neighbours_of_the_ranges_are_permitted() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2003::",
            "2a00:1450:4001::1",
        ] {
            assert!(permitted(address), "{address}");
        }
    }

    #[test]
    fn only_allowed_networks_are_reached_without_tls() {
        let allowed = AllowedNetworks::parse("127.0.0.0/8, ::1").expect("networks");
        let permit = |address: &str, tls| allowed.permit(address.parse().expect("an address"), tls);
        assert!(permit("127.0.0.1", false) && permit("127.0.0.1", true) && permit("::1", false));
        assert!(!permit("8.8.8.8", false) && permit("8.8.8.8", true));
        assert!(!permit("::ffff:127.0.0.1", true) && !permit("10.0.0.1", true) && !permit("::2", true));
        assert_eq!(AllowedNetworks::parse("127.0.0.0/8,home"), Err("home".to_owned()));
    }
}
