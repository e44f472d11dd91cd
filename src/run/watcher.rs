//! Sees to what the branches of a bank in real time, their disks and their links find out.

use tokio::sync::{mpsc, watch};

use crate::actors::Standing;
use crate::bank::EndOfLife;
use crate::grpc::{Gate, PeerFinding};
use crate::model::{BranchId, Propagation};

/// Why a bank cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankFailure {
    /// What a branch wants kept cannot be kept.
    Disk {
        /// The branch.
        branch: BranchId,
        /// Why.
        reason: String,
    },
    /// A peer speaks only the classic contract, which cannot carry what async propagation needs.
    ClassicPeer(BranchId),
    /// Another process is the branch.
    Twin {
        /// The branch.
        branch: BranchId,
        /// Who says so.
        found_by: BranchId,
    },
    /// Another one is the branch now.
    Ended {
        /// The branch.
        branch: BranchId,
        /// Why.
        end: EndOfLife,
    },
}

impl BankFailure {
    /// Whether nothing is true any more that the bank would say: it does not even close in order.
    pub(super) fn is_end(&self) -> bool {
        match self {
            Self::Disk { .. } | Self::Twin { .. } | Self::Ended { .. } => true,
            Self::ClassicPeer(_) => false,
        }
    }
}

/// Whom they tell.
pub(super) struct Told {
    /// How a branch stands.
    pub(super) standing: mpsc::UnboundedSender<Standing>,
    /// What a link has found at its other end.
    pub(super) found: mpsc::UnboundedSender<PeerFinding>,
    /// Why a disk has failed.
    pub(super) failed: mpsc::UnboundedSender<(BranchId, String)>,
}

/// Opens the `gate` when so many `branches` here serve, and tells why the bank cannot go on.
pub(super) fn watch_over(
    branches: usize,
    gate: watch::Sender<Gate>,
    propagation: Propagation,
) -> (Told, watch::Receiver<Option<BankFailure>>) {
    let (standing, stands) = mpsc::unbounded_channel();
    let (found, finds) = mpsc::unbounded_channel();
    let (failed, disks) = mpsc::unbounded_channel();
    let (fails, failure) = watch::channel(None);
    let watcher = Watcher { gate, propagation };
    actix_rt::spawn(watcher.watch(branches, (stands, finds, disks), fails));
    (Told { standing, found, failed }, failure)
}

/// Sees to what branches, their disks and links find out.
struct Watcher {
    gate: watch::Sender<Gate>,
    propagation: Propagation,
}

impl Watcher {
    /// Opens the gate when so many `branches` here serve, and tells why the bank cannot go on, until nothing
    /// is true any more that it would say.
    async fn watch(
        self,
        branches: usize,
        (mut stands, mut finds, mut disks): (
            mpsc::UnboundedReceiver<Standing>,
            mpsc::UnboundedReceiver<PeerFinding>,
            mpsc::UnboundedReceiver<(BranchId, String)>,
        ),
        fails: watch::Sender<Option<BankFailure>>,
    ) {
        let mut serving = 0;
        loop {
            let (mut stood, mut found) = (None, None);
            tokio::select! {
                biased;
                Some((branch, reason)) = disks.recv() => {
                    fails.send_replace(Some(BankFailure::Disk { branch, reason }));
                    return;
                }
                Some(standing) = stands.recv() => stood = Some(standing),
                Some(finding) = finds.recv() => found = Some(finding),
                // The bank is gone.
                else => return,
            }
            match (stood, found) {
                (Some(Standing::Serves(_)), _) => {
                    serving += 1;
                    if serving == branches {
                        self.open_gate();
                    }
                }
                (Some(Standing::Ended { branch, end }), _) => {
                    fails.send_replace(Some(BankFailure::Ended { branch, end }));
                    return;
                }
                (None, Some(PeerFinding::Classic(peer))) => {
                    if self.propagation == Propagation::Async {
                        // It closes in order, and its disks may fail until it has closed.
                        fails.send_replace(Some(BankFailure::ClassicPeer(peer)));
                    }
                }
                (None, Some(PeerFinding::Twin { of, found_by })) => {
                    fails.send_replace(Some(BankFailure::Twin { branch: of, found_by }));
                    return;
                }
                (None, None) => {}
            }
        }
    }

    fn open_gate(&self) {
        self.gate.send_if_modified(|gate| {
            let opens = *gate == Gate::Returning;
            if opens {
                *gate = Gate::Open;
            }
            opens
        });
    }
}
