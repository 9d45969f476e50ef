//! What is asked for on the command line.

use std::time::Duration;

/// Most hotels; beyond them, hotels get more stays.
const MOST_HOTELS: usize = 200;
/// Stays of a hotel until there are that many.
const STAYS_PER_HOTEL: usize = 5_000;

/// Requests to Latchkey, beside the same statements by pgbench and the same requests to its peers.
#[derive(clap::Parser)]
pub struct Options {
    /// Stays in the database, a multiple of 10,000. The cases run on the last one; `sizes` compares all
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000", value_parser = size)]
    pub stays: Vec<Size>,

    /// What to measure; may be given several times [default: everything]
    #[arg(long = "case", value_enum)]
    cases: Vec<Part>,

    /// Short rounds, for a look
    #[arg(long)]
    quick: bool,

    /// What Cargo adds to every benchmark's arguments.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    Window,
    Reservation,
    Stay,
    Mutations,
    Batch,
    Grants,
    Sizes,
    Replicas,
    Features,
}

/// How many stays, and in how many hotels.
#[derive(Clone, Copy)]
pub struct Size {
    pub hotels: usize,
    pub stays_per_hotel: usize,
}

impl Size {
    pub fn stays(self) -> usize {
        self.hotels * self.stays_per_hotel
    }
}

fn size(text: &str) -> Result<Size, String> {
    let stays: usize = text.replace('_', "").parse().map_err(|_| "not a number".to_owned())?;
    let hotels = (stays / STAYS_PER_HOTEL).min(MOST_HOTELS);
    // Two, as there are two hotels in the file.
    if hotels < 2 || !stays.is_multiple_of(hotels) || !stays.is_multiple_of(2 * STAYS_PER_HOTEL) {
        return Err("not a multiple of 10,000 (of 1,000,000 above that)".into());
    }
    Ok(Size { hotels, stays_per_hotel: stays / hotels })
}

/// How long everything is measured. The contenders take turns, round by round.
#[derive(Clone, Copy)]
pub struct Pace {
    pub rounds: usize,
    pub slice: Duration,
    /// Before the first round of a case: compilers and caches of the servers get to know it.
    pub warm_up: Duration,
}

impl Options {
    pub fn wants(&self, part: Part) -> bool {
        self.cases.is_empty() || self.cases.contains(&part)
    }

    pub fn pace(&self) -> Pace {
        let seconds = Duration::from_secs;
        if self.quick {
            Pace { rounds: 1, slice: seconds(1), warm_up: seconds(1) }
        } else {
            Pace { rounds: 3, slice: seconds(3), warm_up: seconds(2) }
        }
    }
}
