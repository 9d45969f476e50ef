//! A queue in memory on the worker that webhooks run on: commands to locks, which may be slow, jammed or broken.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::{
    Attempt, ByParty, Ended, Health, Limits, Next, Places, Queue, Schedule, Share, Verdict, Waiting, Worker, settle,
};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::id::IdSource;

/// How a lock answers commands.
#[derive(Clone, Copy)]
enum Lock {
    Obeys,
    Jams,
    Refuses,
    Hangs,
    /// Our own code does, not the lock.
    Panics,
}

#[derive(Clone)]
struct Command {
    lock: u32,
    due: Option<DateTime<Utc>>,
    leased_until: Option<DateTime<Utc>>,
    attempts: i32,
    failed: i32,
    end: Option<Next>,
}

#[derive(Default)]
struct Tables {
    locks: BTreeMap<u32, (Lock, Health)>,
    commands: Vec<Command>,
    /// Locks whose rows are locked by others.
    busy: BTreeSet<u32>,
    most_in_flight: BTreeMap<u32, usize>,
}

struct House {
    clock: Clock,
    ids: IdSource,
    wake: Notify,
    tables: Mutex<Tables>,
}

/// A claimed command: its place in the table, and what it was when it was claimed.
struct Claimed {
    row: usize,
    command: Command,
    is_failing: bool,
}

impl House {
    fn new(locks: &[Lock]) -> Arc<Self> {
        let locks = (1..).zip(locks.iter().map(|lock| (*lock, Health::default()))).collect();
        let now = "2026-01-30T09:00:00Z".parse().expect("an instant");
        Arc::new(Self {
            clock: Clock::manual(now),
            ids: IdSource::seeded(1),
            wake: Notify::new(),
            tables: Mutex::new(Tables { locks, ..Tables::default() }),
        })
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("no test panics with the tables locked")
    }

    fn command(&self, lock: u32, count: usize) {
        let due = Some(self.clock.now());
        let command = Command { lock, due, leased_until: None, attempts: 0, failed: 0, end: None };
        self.tables().commands.extend(vec![command; count]);
        self.wake.notify_one();
    }

    fn ends(&self, lock: u32) -> Vec<Option<Next>> {
        self.tables().commands.iter().filter(|command| command.lock == lock).map(|command| command.end).collect()
    }

    fn attempts(&self) -> Vec<i32> {
        self.tables().commands.iter().map(|command| command.attempts).collect()
    }
}

impl Queue for Arc<House> {
    type Party = u32;
    type Job = Claimed;
    type Outcome = Verdict;

    const NAME: &'static str = "commands";
    const LIMITS: Limits =
        Limits { working: Share { places: 8, per_party: 2 }, failing: Share { places: 1, per_party: 1 } };
    const LEASE: Duration = Duration::from_mins(1);

    fn party(job: &Claimed) -> u32 {
        job.command.lock
    }

    fn is_failing(job: &Claimed) -> bool {
        job.is_failing
    }

    async fn claim(&self, places: &Places<u32>) -> Result<Vec<Claimed>> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let is_due = |command: &Command| {
            command.due.is_some_and(|due| due <= now) && command.leased_until.is_none_or(|until| until <= now)
        };
        let waiting = tables
            .locks
            .iter()
            .filter(|(_, (_, health))| health.backoff_until.is_none_or(|until| until <= now))
            .filter(|(lock, _)| tables.commands.iter().any(|command| command.lock == **lock && is_due(command)))
            .map(|(lock, (_, health))| Waiting { party: *lock, failing: health.failures > 0 })
            .collect();
        let mut claimed = Vec::new();
        for (lock, count) in places.allot(waiting, &self.ids) {
            let is_failing = tables.locks[&lock].1.failures > 0;
            let due = tables.commands.iter_mut().enumerate();
            for (row, command) in due.filter(|(_, command)| command.lock == lock && is_due(command)).take(count.into())
            {
                command.attempts += 1;
                command.leased_until = Some(now + Self::LEASE);
                claimed.push(Claimed { row, command: command.clone(), is_failing });
            }
            let leased = tables.commands.iter().filter(|one| one.lock == lock && one.leased_until.is_some()).count();
            let most = tables.most_in_flight.entry(lock).or_default();
            *most = leased.max(*most);
        }
        Ok(claimed)
    }

    async fn attempt(&self, job: &Claimed) -> Result<Verdict> {
        let lock = self.tables().locks[&job.command.lock].0;
        match lock {
            Lock::Obeys => Ok(Verdict::Succeeded),
            Lock::Jams => Ok(Verdict::Failed { wait: None }),
            Lock::Refuses => Ok(Verdict::Refused),
            Lock::Hangs => pending().await,
            Lock::Panics => panic!("as it does in this test"),
        }
    }

    async fn settle(&self, ended: &ByParty<'_, Self>) -> Result<Vec<u32>> {
        let schedule = Schedule::parse("10s,1m").map_err(Error::internal)?;
        let mut tables = self.tables();
        let mut kept = Vec::new();
        for (lock, ended) in ended {
            if tables.busy.contains(lock) {
                kept.push(*lock);
                continue;
            }
            let attempt = |one: &&Ended<Claimed, Verdict>| Attempt {
                verdict: one.outcome,
                failed_before: one.job.command.failed,
                is_current: true,
            };
            let attempts: Vec<Attempt> = ended.iter().map(attempt).collect();
            let health = &mut tables.locks.get_mut(lock).expect("a lock").1;
            let settled = settle(health, &attempts, &schedule, &self.ids, self.clock.now());
            *health = settled.health.expect("all attempts are current");
            for (one, change) in ended.iter().zip(settled.jobs) {
                let command = &mut tables.commands[one.job.row];
                let retry = if let Next::Retry(at) = change.next { Some(at) } else { None };
                (command.due, command.leased_until, command.failed) = (retry, None, change.failed_attempts);
                command.end = retry.is_none().then_some(change.next);
            }
        }
        Ok(kept)
    }

    async fn release(&self, jobs: &[Arc<Claimed>]) -> Result<()> {
        for job in jobs {
            self.tables().commands[job.row].leased_until = None;
        }
        Ok(())
    }

    fn wake(&self) -> &Notify {
        &self.wake
    }

    async fn call_for_help(&self) -> Result<()> {
        Ok(())
    }

    fn measure_leases(&self, _working: usize, _failing: usize) {}
}

#[tokio::test(start_paused = true)]
async fn locks_do_not_delay_each_other_and_leases_are_returned_at_the_end() {
    let house = House::new(&[Lock::Hangs, Lock::Jams, Lock::Panics, Lock::Refuses, Lock::Obeys]);
    (1..=5).for_each(|lock| house.command(lock, 5));
    let mut worker = Worker::new(Arc::clone(&house));
    worker.work(sleep(Duration::from_secs(3))).await;
    assert_eq!(house.ends(5), [Some(Next::Done); 5]);
    assert_eq!(house.ends(4)[0], Some(Next::Refused));
    assert_eq!(house.ends(2), [None; 5]);
    assert_eq!(house.tables().most_in_flight[&1], 2);
    worker.wind_up().await;
    let leased = |house: &House, lock| {
        let tables = house.tables();
        tables.commands.iter().filter(|one| one.lock == lock && one.leased_until.is_some()).count()
    };
    assert_eq!(leased(&house, 1), 0, "they were cut off");
    assert!(leased(&house, 3) > 0, "they have to run out");
}

#[tokio::test(start_paused = true)]
async fn a_worker_is_woken_before_it_looks_by_itself() {
    let house = House::new(&[Lock::Obeys]);
    let mut worker = Worker::new(Arc::clone(&house));
    let shutdown = async {
        sleep(Duration::from_millis(10)).await;
        house.command(1, 1);
        sleep(Duration::from_millis(10)).await;
    };
    worker.work(shutdown).await;
    assert_eq!(house.ends(1), [Some(Next::Done)]);
}

#[tokio::test]
async fn a_command_follows_its_schedule_and_its_lock_is_left_alone() {
    let house = House::new(&[Lock::Jams]);
    house.command(1, 1);
    let mut worker = Worker::new(Arc::clone(&house));
    assert_eq!(worker.round().await.expect("a round"), Some(1));
    // A fresh command finds the lock in its back-off, and later goes alone.
    house.command(1, 3);
    assert_eq!(worker.round().await.expect("a round"), None);
    house.clock.advance(TimeDelta::seconds(1));
    assert_eq!(worker.round().await.expect("a round"), Some(1));
    assert_eq!(house.attempts(), [1, 1, 0, 0]);
    for _ in 0..10 {
        house.clock.advance(TimeDelta::minutes(2));
        worker.round().await.expect("a round");
    }
    assert_eq!(house.attempts(), [3; 4]);
    assert_eq!(house.ends(1), [Some(Next::Exhausted); 4]);
}

#[tokio::test]
async fn outcomes_of_a_lock_that_somebody_has_locked_are_settled_later_and_it_is_given_no_more() {
    let house = House::new(&[Lock::Obeys, Lock::Obeys]);
    house.command(1, 3);
    house.command(2, 1);
    house.tables().busy.insert(1);
    let mut worker = Worker::new(Arc::clone(&house));
    assert_eq!(worker.round().await.expect("a round"), Some(3));
    assert_eq!((house.ends(1), house.ends(2)), (vec![None; 3], vec![Some(Next::Done)]));
    assert_eq!(worker.round().await.expect("a round"), None);
    house.tables().busy.clear();
    worker.wind_up().await;
    assert_eq!(house.ends(1), [Some(Next::Done), Some(Next::Done), None]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_outlives_its_lease_is_given_up_and_made_again() {
    let house = House::new(&[Lock::Hangs]);
    house.command(1, 1);
    let mut worker = Worker::new(Arc::clone(&house));
    assert_eq!(worker.round().await.expect("a round"), Some(0), "nothing came of it");
    assert_eq!(worker.round().await.expect("a round"), None, "its lease goes on");
    house.clock.advance(TimeDelta::seconds(60));
    house.tables().locks.insert(1, (Lock::Obeys, Health::default()));
    assert_eq!(worker.round().await.expect("a round"), Some(1));
    assert_eq!((house.attempts(), house.ends(1)), (vec![2], vec![Some(Next::Done)]));
}
