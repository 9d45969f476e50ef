//! The only source of ids and of secrets. Everything else is given an [`IdSource`].

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};
use uuid::{Builder, Uuid};

/// Makes ids and random bytes.
#[derive(Clone)]
pub struct IdSource(Arc<Source>);

enum Source {
    OperatingSystem { last: Mutex<u64> },
    Seeded { last: Mutex<u64>, rng: Box<Mutex<StdRng>> },
}

impl IdSource {
    /// Randomness from the operating system.
    pub fn operating_system() -> Self {
        Self(Arc::new(Source::OperatingSystem { last: Mutex::new(0) }))
    }

    /// Ids that are the same in every run. For tests and generated data, never for secrets.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Source::Seeded { last: Mutex::new(0), rng: Box::new(Mutex::new(StdRng::seed_from_u64(seed))) }))
    }

    /// A new UUID v7: ids of one process sort in the order in which they were made.
    pub fn uuid(&self, now: DateTime<Utc>) -> Uuid {
        let last = match &*self.0 {
            Source::OperatingSystem { last } | Source::Seeded { last, .. } => last,
        };
        // The 12 bits below the milliseconds count up within one, and carry into it when they overflow.
        let floor = u64::try_from(now.timestamp_millis()).unwrap_or(0) << 12;
        let tick = {
            let mut last = last.lock().expect("no panic while the id counter is held");
            *last = floor.max(*last + 1);
            *last
        };
        let mut random = [0_u8; 10];
        self.fill(&mut random);
        random[0] = u8::try_from((tick >> 8) & 0x0f).expect("four bits");
        random[1] = u8::try_from(tick & 0xff).expect("eight bits");
        Builder::from_unix_timestamp_millis(tick >> 12, &random).into_uuid()
    }

    /// Fills `bytes` with random bytes fit for keys, nonces and secrets.
    pub fn fill(&self, bytes: &mut [u8]) {
        match &*self.0 {
            Source::OperatingSystem { .. } => {
                SysRng.try_fill_bytes(bytes).expect("the operating system gives random bytes");
            }
            Source::Seeded { rng, .. } => rng.lock().expect("no panic while the generator is held").fill_bytes(bytes),
        }
    }
}

/// Bytes as lower-case hexadecimal digits: how random ids and signatures are written.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_process_sort_in_the_order_of_their_making() {
        let ids = IdSource::operating_system();
        let now = DateTime::from_timestamp(1_770_000_000, 0).expect("an instant");
        let made: Vec<Uuid> = (0..20_000).map(|_| ids.uuid(now)).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(made.iter().all(|id| id.get_version_num() == 7));
    }
}
