//! The actor that keeps what a branch wants kept, in real time.

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Recipient, WrapFuture};
use tokio::sync::mpsc;

use super::Store;
use crate::actors::{Commit, Committed};
use crate::model::BranchId;

/// Keeps what one branch wants kept. The disk is waited for on a thread of its own.
#[derive(Debug)]
pub struct Storage {
    branch: BranchId,
    /// `None` while a commit is under way, and for good when the disk has failed: it is never tried
    /// again, for nobody knows what of it is kept.
    store: Option<Store>,
    owner: Recipient<Committed>,
    failed: mpsc::UnboundedSender<(BranchId, String)>,
}

impl Storage {
    /// Keeps what `branch` wants kept in `store`, and tells the `owner` so. Should the disk fail, that
    /// is told to `failed`.
    pub fn new(
        branch: BranchId,
        store: Store,
        owner: Recipient<Committed>,
        failed: mpsc::UnboundedSender<(BranchId, String)>,
    ) -> Self {
        Self { branch, store: Some(store), owner, failed }
    }

    fn fail(&self, reason: String) {
        if self.failed.send((self.branch, reason)).is_err() {
            log::debug!("the bank is closing already");
        }
    }
}

impl Actor for Storage {
    type Context = Context<Self>;
}

impl Handler<Commit> for Storage {
    type Result = ();

    fn handle(&mut self, Commit { number, kept }: Commit, ctx: &mut Self::Context) {
        let Some(mut store) = self.store.take() else { return };
        let commit = tokio::task::spawn_blocking(move || {
            let kept = store.commit(&kept);
            (store, kept)
        });
        ctx.spawn(commit.into_actor(self).map(move |done, storage, _| match done {
            Ok((store, Ok(()))) => {
                storage.store = Some(store);
                storage.owner.do_send(Committed(number));
            }
            Ok((_, Err(error))) => storage.fail(error.to_string()),
            Err(ended) => storage.fail(ended.to_string()),
        }));
    }
}
