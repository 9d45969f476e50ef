//! Signatures of webhooks, in two schemes at once.
//!
//! 3RPMS: `3rpms-signature: t=<unix seconds>,signature=<hex>`, HMAC-SHA256 over `t`, a full stop and the body, keyed with
//! the bytes of the whole secret. Standard Webhooks: `webhook-signature: v1,<base64>`, HMAC-SHA256 over id, timestamp and
//! body with full stops between, keyed with what the secret encodes. After a rotation there are two of each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::id::{IdSource, hex};
use crate::secrets::Secret;

const PREFIX: &str = "whsec_";
const SECRET_BYTES: usize = 32;

/// A new secret: `whsec_` and the base64 of 32 random bytes.
pub fn generate(ids: &IdSource) -> Secret {
    let mut bytes = [0; SECRET_BYTES];
    ids.fill(&mut bytes);
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// Values of the headers that prove where a webhook comes from, for one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatures {
    /// `webhook-timestamp`
    pub timestamp: String,
    /// `3rpms-signature`
    pub of_3rpms: String,
    /// `webhook-signature`
    pub standard: String,
}

/// Signs a body at the time of an attempt, with one secret or two.
///
/// # Errors
/// `INTERNAL` for a secret that [`generate`] did not make.
pub fn sign(secrets: &[Secret], id: &str, body: &[u8], now: DateTime<Utc>) -> Result<Signatures> {
    let timestamp = now.timestamp().to_string();
    let mut of_3rpms = format!("t={timestamp}");
    let mut standard = Vec::new();
    for secret in secrets {
        let mac = hmac(secret.expose().as_bytes(), &[timestamp.as_bytes(), body]);
        of_3rpms.push_str(",signature=");
        of_3rpms.push_str(&hex(&mac));
        let key = secret.expose().strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
        let key = key.ok_or_else(|| Error::internal("a webhook secret is malformed"))?;
        let mac = hmac(&key, &[id.as_bytes(), timestamp.as_bytes(), body]);
        standard.push(format!("v1,{}", STANDARD.encode(mac)));
    }
    Ok(Signatures { timestamp, of_3rpms, standard: standard.join(" ") })
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            mac.update(b".");
        }
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `openssl dgst -sha256 -mac HMAC`.
    #[test]
    fn signatures_are_those_that_openssl_computes() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let now = DateTime::from_timestamp(1_614_265_330, 0).expect("an instant");
        let signed = sign(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#, now).expect("signed");
        assert_eq!(signed.timestamp, "1614265330");
        // The example of the Standard Webhooks specification's own libraries.
        assert_eq!(signed.standard, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(
            signed.of_3rpms,
            "t=1614265330,signature=2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964"
        );
    }

    #[test]
    fn two_secrets_make_two_signatures() {
        let ids = IdSource::operating_system();
        let secrets = [generate(&ids), generate(&ids)];
        let signed = sign(&secrets, "id", b"{}", DateTime::UNIX_EPOCH).expect("signed");
        assert_eq!(signed.of_3rpms.matches(",signature=").count(), 2);
        assert_eq!(signed.standard.split(' ').count(), 2);
    }
}
