//! The headers `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 has them: structured fields
//! with a member for each budget.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::actor::Actor;
use crate::throttle::{Throttle, seconds};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
/// Seconds in which a budget is renewed.
const WINDOW_SECONDS: u32 = 60;

/// Tells an API key what its limits are, what is left of them (`r`), and in how many seconds all of it is there again (`t`).
pub(super) fn add(headers: &mut HeaderMap, throttle: &Throttle, actor: &Actor) {
    let (mut policy, mut state) = (String::new(), String::new());
    for (budget, left) in throttle.left(actor) {
        let (name, comma) = (budget.name(), if policy.is_empty() { "" } else { ", " });
        write!(policy, "{comma}\"{name}\";q={};w={WINDOW_SECONDS}", left.limit.per_minute())
            .expect("a string takes everything");
        write!(state, "{comma}\"{name}\";r={};t={}", left.units, seconds(left.full_in))
            .expect("a string takes everything");
    }
    for (name, value) in [(POLICY, policy), (STATE, state)] {
        if !value.is_empty() {
            headers.insert(name, HeaderValue::from_str(&value).expect("letters, digits and quotes"));
        }
    }
}
