//! The client's address, when proxies stand in front.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr as _;

use http::HeaderMap;
use ipnet::IpNet;

/// What a proxy adds the address to that it was asked from.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Networks of IPv6 are handed out by /64: the holder of one address has all of them.
const V6_SITE: u128 = u128::MAX << 64;

/// Networks whose `X-Forwarded-For` is believed (`LATCHKEY_TRUSTED_PROXIES`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads `10.0.0.0/8,fd00::/8`; a single address stands for itself alone.
    ///
    /// # Errors
    /// The entry that is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let network = |entry: &str| {
            IpNet::from_str(entry).or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)).map_err(|_| entry.to_owned())
        };
        text.split(',').map(|entry| network(entry.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// The address that a request came from: that of the connection, or, where that is a proxy of ours, the last one in
    /// `X-Forwarded-For` that is not. What stands before it may be invented.
    pub fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut origin = peer.to_canonical();
        let values = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut steps = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        while self.0.iter().any(|network| network.contains(&origin)) {
            // A proxy that does not say who asked it stands for all that it forwards.
            let Some(step) = steps.next().and_then(|step| step.trim().parse::<IpAddr>().ok()) else { break };
            origin = step.to_canonical();
        }
        origin
    }
}

/// What counts as one address: of IPv6 the network of 64 bits.
pub(super) fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & V6_SITE).into(),
        IpAddr::V4(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn origin(proxies: &str, peer: &str, forwarded: &[&str]) -> String {
        let proxies = if proxies.is_empty() { TrustedProxies::default() } else { networks(proxies) };
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(value).expect("a value"));
        }
        proxies.origin(address(peer), &headers).to_string()
    }

    fn networks(text: &str) -> TrustedProxies {
        TrustedProxies::parse(text).expect("networks")
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        assert_eq!(origin("", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(origin("10.0.0.0/8", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(origin("10.0.0.0/8", "10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(origin("10.0.0.0/8", "::ffff:10.1.2.3", &["::ffff:198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn the_last_address_that_no_proxy_of_ours_has_is_the_one() {
        let proxies = "10.0.0.0/8, fd00::/8";
        assert_eq!(origin(proxies, "10.0.0.1", &["192.0.2.1, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(origin(proxies, "10.0.0.1", &["192.0.2.1", "198.51.100.7,fd00::1"]), "198.51.100.7");
        assert_eq!(origin(proxies, "10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(origin(proxies, "10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn a_proxy_that_names_nobody_stands_for_itself() {
        for nothing in [&[][..], &[""], &["nobody"], &["198.51.100.7, unknown"], &["198.51.100.7:4711"]] {
            assert_eq!(origin("10.0.0.1", "10.0.0.1", nothing), "10.0.0.1", "{nothing:?}");
        }
    }

    #[test]
    fn an_entry_that_is_no_network_is_told() {
        assert_eq!(TrustedProxies::parse("10.0.0.0/8,proxy"), Err("proxy".to_owned()));
        assert_eq!(TrustedProxies::parse(""), Err(String::new()));
    }

    #[test]
    fn a_site_of_ipv6_has_64_bits() {
        assert_eq!(site(address("2001:db8:1:2:3:4:5:6")), address("2001:db8:1:2::"));
        assert_eq!(site(address("::ffff:192.0.2.1")), address("192.0.2.1"));
        assert_eq!(site(address("192.0.2.1")), address("192.0.2.1"));
    }
}
