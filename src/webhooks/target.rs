//! Targets of webhooks: a URL that has been looked at closely.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::AllowedNetworks;
use crate::error::Message;

const LONGEST_URL: usize = 2048;
/// Longest name that DNS has (RFC 1035), without a full stop at its end.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
/// Names below these are never found.
const NEVER_FOUND: [&str; 2] = ["invalid", "onion"];
/// Names below these are found in private networks alone.
const FOUND_AT_HOME: [&str; 3] = ["local", "internal", "home.arpa"];

/// A URL that keeps the rules. What its name resolves to is checked when it is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether to speak TLS.
    pub tls: bool,
    /// Name or address of the host.
    pub host: Host<String>,
    /// The URL itself, as the parser has understood it.
    pub url: Url,
}

impl Target {
    /// Reads the URL of an endpoint.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, allowed: &AllowedNetworks) -> Result<Self, Message> {
        if text.len() > LONGEST_URL {
            return Err(Message::UrlTooLong { most: LONGEST_URL });
        }
        // The parser would drop some of these and mend others.
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(Message::UrlHasForbiddenCharacters);
        }
        let url = Url::parse(text).map_err(|_| Message::UrlMalformed)?;
        let tls = match url.scheme() {
            "https" => true,
            "http" if !allowed.is_empty() => false,
            _ => return Err(Message::UrlNotHttps),
        };
        // The parser drops an empty user name.
        let authority = text.split("//").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next());
        if authority.is_some_and(|authority| authority.contains('@')) {
            return Err(Message::UrlHasCredentials);
        }
        if url.fragment().is_some() {
            return Err(Message::UrlHasFragment);
        }
        let host = url.host().ok_or(Message::UrlHasNoHost)?.to_owned();
        if url.port() == Some(0) {
            return Err(Message::UrlPortOutOfRange);
        }
        let target = Self { tls, host, url };
        match target.literal() {
            Some(address) if allowed.permit(address, tls) => Ok(target),
            Some(address) if allowed.permit(address, true) => Err(Message::UrlWithoutTls),
            Some(_) if allowed.is_empty() => Err(Message::UrlAddressNotPublic),
            Some(_) => Err(Message::UrlAddressNotAllowed),
            None => target.check_name(allowed).map(|()| target),
        }
    }

    /// Refuses names of which it is known without asking that nobody finds them, or nobody but a network of its own.
    fn check_name(&self, allowed: &AllowedNetworks) -> Result<(), Message> {
        let Host::Domain(name) = &self.host else { return Ok(()) };
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.len() > LONGEST_NAME || name.split('.').any(|label| !(1..=LONGEST_LABEL).contains(&label.len())) {
            return Err(Message::UrlHostMalformed);
        }
        let below = |suffixes: &[&str]| {
            suffixes
                .iter()
                .any(|suffix| name.strip_suffix(suffix).is_some_and(|above| above.is_empty() || above.ends_with('.')))
        };
        if below(&NEVER_FOUND) {
            return Err(Message::UrlHostNeverFound);
        }
        if allowed.is_empty() && (!name.contains('.') || below(&FOUND_AT_HOME)) {
            return Err(Message::UrlHostNotPublic);
        }
        Ok(())
    }

    /// The address, where the URL names one. `localhost` and the names below it are one, whatever a resolver says (RFC 6761).
    pub fn literal(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Ipv4(address) => Some((*address).into()),
            Host::Ipv6(address) => Some((*address).into()),
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                (name == "localhost" || name.ends_with(".localhost")).then_some(IpAddr::from([127, 0, 0, 1]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, Message> {
        Target::parse(url, &AllowedNetworks::default())
    }

    #[test]
    fn a_public_https_url_is_a_target() {
        let parsed = target("https://Example.com:8443/hooks/a?b=c%20d").expect("a target");
        assert_eq!((parsed.tls, parsed.url.as_str()), (true, "https://example.com:8443/hooks/a?b=c%20d"));
        assert_eq!(target("https://[2a00:1450::1]").expect("a target").url.as_str(), "https://[2a00:1450::1]/");
        let host = target("https://münchen.example").expect("a target").host;
        assert_eq!(host, Host::Domain("xn--mnchen-3ya.example".to_owned()));
    }

    #[test]
    fn disguised_and_malformed_urls_are_refused() {
        for url in [
            "",
            "example.com",
            "ftp://example.com/",
            "file:///etc/passwd",
            "http://example.com/",
            "https://user@example.com/",
            "https://user:password@example.com/",
            "https://:password@example.com/",
            "https://example.com/#fragment",
            "https://example.com:0/",
            "https://example.com:65536/",
            "https://exa mple.com/",
            "https://example.com/\n",
            "https:\\\\example.com\\",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://%31%32%37.0.0.1/",
            "https://@example.com/",
            "https://:@example.com/",
            "https://a/",
            "https://a./",
            "https://printer.local/",
            "https://hooks.internal./",
            "https://nas.home.arpa/",
            "https://hooks.invalid/",
            "https://abc.onion/",
            "https://a..example.com/",
            "https://example.com../",
            "https://.example.com/",
        ] {
            assert!(target(url).is_err(), "{url}");
        }
        assert!(target(&format!("https://example.com/{}", "a".repeat(2048))).is_err());
        assert!(target(&format!("https://{}.com/", "a".repeat(64))).is_err());
        assert!(target(&format!("https://{}com/", "a.".repeat(126))).is_err());
        assert!(target("https://hooks.example.com./a?b=c@d").is_ok() && target("https://local.example.com/").is_ok());
    }

    #[test]
    fn allowed_networks_are_reached_without_tls() {
        let allowed = AllowedNetworks::parse("127.0.0.0/8").expect("networks");
        assert!(Target::parse("http://127.0.0.1:4000/", &allowed).is_ok());
        assert!(Target::parse("http://localhost:4000/", &allowed).is_ok());
        assert!(Target::parse("http://receiver:4000/", &allowed).is_ok(), "a resolver may know it");
        for (url, reason) in [
            ("http://8.8.8.8/", Message::UrlWithoutTls),
            ("http://[2a00:1450::1]/", Message::UrlWithoutTls),
            ("https://10.0.0.1/", Message::UrlAddressNotAllowed),
            ("http://10.0.0.1/", Message::UrlAddressNotAllowed),
            ("http://[::ffff:127.0.0.1]/", Message::UrlAddressNotAllowed),
            ("https://hooks.invalid/", Message::UrlHostNeverFound),
        ] {
            assert_eq!(Target::parse(url, &allowed), Err(reason), "{url}");
        }
    }
}
