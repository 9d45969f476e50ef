//! Methods that follow the commands to write their cards.

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{store, write};
use crate::error::Result;
use crate::events::Change;
use crate::lock_commands;
use crate::unit::{Follower, Tx};

/// Has methods follow their commands: a card that was written is encoded, unless what it has to bear changed meanwhile.
pub struct CommandFollower;

impl Follower for CommandFollower {
    fn follow<'a>(&'a self, tx: &'a mut Tx, changes: &'a [Change]) -> BoxFuture<'a, Result<()>> {
        Box::pin(follow_in(tx, changes))
    }
}

async fn follow_in(tx: &mut Tx, changes: &[Change]) -> Result<()> {
    let finished = changes.iter().filter(|change| change.kind == &lock_commands::FINISHED);
    let ids: Vec<Uuid> = finished.map(|change| change.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let finished = lock_commands::finished(tx.conn().await?, hotel, &ids).await?;
    let written: Vec<(Uuid, i64)> = finished
        .into_iter()
        .filter(|command| command.succeeded)
        .filter_map(|command| Some((command.subject_id, command.revision?)))
        .collect();
    if written.is_empty() {
        return Ok(());
    }
    let methods = store::mark_encoded(tx.conn().await?, hotel, &written, now).await?;
    for (method, is_first) in methods {
        let fields = ["issuedAt", "encodedAt", "isEncodingRequired"];
        write::emit_updated(tx, &[method], if is_first { &fields } else { &fields[1..] });
    }
    Ok(())
}
