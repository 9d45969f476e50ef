//! A server is killed around the commit of a request with an idempotency key.

use rustix::process::Signal;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{Act, Site};
use crate::support::until_somebody_waits;

/// Has the commit of every kept answer wait for whoever holds the lock.
const HOLD_COMMITS: &str = "
    CREATE FUNCTION hold_commits() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock(301); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER hold_commits AFTER INSERT ON idempotent_answers DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION hold_commits()";

#[tokio::test]
async fn who_asks_again_after_a_kill_between_commit_and_answer_gets_the_kept_answer() {
    let site = Site::new().await;
    let mut holding = PgConnection::connect_with(&site.db.options()).await.expect("connected");
    holding.execute(HOLD_COMMITS).await.expect("made");
    for act in [Act::Create, Act::CheckIn] {
        let server = site.serve().await;
        holding.execute("SELECT pg_advisory_lock(301)").await.expect("held");
        let request = tokio::spawn(site.request(&server, act, &key(act)).send());
        until_somebody_waits(&site.db.pool).await;
        // PostgreSQL has been told to commit; whoever told it will not hear that it did.
        server.end(Signal::KILL);
        holding.execute("SELECT pg_advisory_unlock(301)").await.expect("let go");
        assert!(request.await.expect("no panic").is_err(), "nobody was left to answer");

        let server = site.serve().await;
        let again = site.until_answered(&server, act, &key(act)).await;
        assert!((again.status, again.replayed) == (200, true), "{act:?} {again:?}");
        assert_eq!(site.effects(act).await, 1);
        assert_eq!(site.until_answered(&server, act, &key(act)).await, again);
    }
}

#[tokio::test]
async fn who_asks_again_after_a_kill_before_the_commit_has_it_done_once() {
    let site = Site::new().await;
    for act in [Act::Create, Act::CheckIn] {
        let server = site.serve().await;
        let mut holding = site.db.pool.begin().await.expect("a connection");
        holding.execute("LOCK TABLE idempotent_answers IN EXCLUSIVE MODE").await.expect("held");
        let request = tokio::spawn(site.request(&server, act, &key(act)).send());
        // It has done everything but to keep its answer.
        until_somebody_waits(&site.db.pool).await;
        server.end(Signal::KILL);
        holding.rollback().await.expect("let go");
        assert!(request.await.expect("no panic").is_err(), "nobody was left to answer");

        let server = site.serve().await;
        let done = site.until_answered(&server, act, &key(act)).await;
        assert!((done.status, done.replayed) == (200, false), "{act:?} {done:?}");
        assert_eq!(site.effects(act).await, 1);
        let again = site.until_answered(&server, act, &key(act)).await;
        assert!(again.replayed && again.body == done.body, "{again:?}");
        assert_eq!(site.effects(act).await, 1);
    }
}

/// Both acts are of one API key.
fn key(act: Act) -> String {
    format!("{act:?}")
}
