//! What two branches in different processes prove to each other: that they know the bank's secret,
//! now, and each as the branch that it says it is. Sends and keeps nothing.

use super::seal::{Seal, TAG_BYTES};
use crate::model::{BranchId, UnknownVersion, Versions};

/// The versions of the peer service that are spoken.
pub(super) const VERSIONS: Versions = Versions {
    what: "a peer",
    oldest: 2,
    newest: 2,
    otherwise: "run all branches with one version of passbook",
};

/// The metadata key of the ticket.
pub(super) const TICKET_KEY: &str = "passbook-ticket-bin";

/// The version of the peers that had nothing to prove.
const UNPROVED: u64 = 0;

/// Whether the peer service is spoken in the version that a peer says; one that says none speaks
/// the first that has proofs, which knew of no lives.
pub(super) fn check_version(said: Option<u32>) -> Result<(), UnknownVersion> {
    VERSIONS.check(said.map_or(1, u64::from))
}

/// Why a peer that proves nothing is none.
pub(super) const fn without_proofs() -> UnknownVersion {
    UnknownVersion { found: UNPROVED, known: VERSIONS }
}

/// A number that is used once, so that what was proved before proves nothing again.
pub(super) type Nonce = [u8; TAG_BYTES];

/// With what a process proves that it is of its bank. Cheap to copy.
#[derive(Debug, Clone)]
pub struct Identity {
    pub(super) seal: Seal,
    /// Drawn at its start.
    pub(super) start: u64,
}

/// What a branch shows in each call after it has proved who it is. Random, and so worth nothing in
/// another process.
#[derive(Clone, Copy)]
pub struct Ticket([u8; TAG_BYTES]);

/// Who proves something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Caller,
    Answerer,
}

/// Two branches who prove to each other who they are: all that is under their tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meeting {
    pub(super) caller: End,
    pub(super) answerer: End,
}

/// One of the two.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) branch: BranchId,
    pub(super) start: u64,
    pub(super) nonce: Nonce,
}

impl Identity {
    /// The identity of this process in the bank whose peers prove themselves with `seal`.
    pub fn new(seal: Seal) -> Self {
        let start = u64::from_le_bytes(random());
        Self { seal, start }
    }

    /// The end of a meeting at which the branch `branch` of this process is.
    pub(super) fn end(&self, branch: BranchId) -> End {
        End { branch, start: self.start, nonce: random() }
    }
}

impl Meeting {
    /// What proves that whoever is `role` in this meeting knows the key of `seal`.
    pub(super) fn proof(&self, seal: &Seal, role: Role) -> [u8; TAG_BYTES] {
        seal.tag(&self.text(role))
    }

    /// Whether `proof` is that.
    pub(super) fn is_proved(&self, seal: &Seal, role: Role, proof: &[u8]) -> bool {
        seal.is_tag_of(proof, &self.text(role))
    }

    /// Every part has its place: no two meetings have the same text.
    fn text(&self, role: Role) -> Vec<u8> {
        let role = match role {
            Role::Caller => 1,
            Role::Answerer => 2,
        };
        let mut text = vec![role];
        for End { branch, start, nonce } in [self.caller, self.answerer] {
            text.extend(branch.get().to_be_bytes());
            text.extend(start.to_be_bytes());
            text.extend(nonce);
        }
        text
    }
}

impl Ticket {
    /// A new one.
    pub(super) fn random() -> Self {
        Self(random())
    }

    /// The one that the branches of one process have from its start: whoever knows the key of
    /// `seal` can make it.
    pub(super) fn of_one_process(seal: &Seal) -> Self {
        Self(seal.tag(b"one process"))
    }

    /// The ticket with these `bytes`, if it can be one.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether both are the same. How long this takes does not tell how much of them is.
    pub(super) fn is(&self, other: &Self) -> bool {
        let differ = self
            .0
            .iter()
            .zip(other.0)
            .fold(0, |differ, (mine, other)| std::hint::black_box(differ | (mine ^ other)));
        differ == 0
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket")
    }
}

fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::seal::{BankKeys, BankSecret};
    use crate::model::{Money, Roster};

    fn branch(id: i64) -> BranchId {
        BranchId::new(id).unwrap()
    }

    fn seal(name: &str) -> Seal {
        let roster = Roster::new([1, 2].map(branch)).unwrap();
        BankKeys::new(&BankSecret::public(), name, &roster, Money::ZERO).peers
    }

    #[test]
    fn a_proof_is_good_for_its_role_and_meeting_alone() {
        let end = |id, start, nonce| End { branch: branch(id), start, nonce: [nonce; TAG_BYTES] };
        let meeting = Meeting { caller: end(1, 3, 5), answerer: end(2, 4, 6) };
        let proof = meeting.proof(&seal("ours"), Role::Caller);
        assert!(meeting.is_proved(&seal("ours"), Role::Caller, &proof));
        assert!(!meeting.is_proved(&seal("ours"), Role::Answerer, &proof));
        assert!(!meeting.is_proved(&seal("another"), Role::Caller, &proof));
        let Meeting { caller, answerer } = meeting;
        for other in [
            Meeting { caller: answerer, answerer: caller },
            Meeting { caller: end(3, 3, 5), answerer },
            Meeting { caller: end(1, 9, 5), answerer },
            Meeting { caller: end(1, 3, 9), answerer },
            Meeting { caller, answerer: end(3, 4, 6) },
            Meeting { caller, answerer: end(2, 9, 6) },
            Meeting { caller, answerer: end(2, 4, 9) },
        ] {
            assert!(!other.is_proved(&seal("ours"), Role::Caller, &proof), "{other:?}");
        }
    }

    #[test]
    fn a_ticket_is_the_same_as_itself_alone() {
        let (ticket, other) = (Ticket::random(), Ticket::random());
        assert!(ticket.is(&Ticket::from_bytes(ticket.bytes()).unwrap()));
        assert!(!ticket.is(&other));
        assert!(Ticket::from_bytes(&ticket.bytes()[1..]).is_none());
    }
}
