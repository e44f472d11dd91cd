//! The passbook as a token that a client carries and shows, and need not understand.
//!
//! The layout is this program's own affair and may change: a token is refused unless it is, byte for
//! byte, one that this version makes for this bank. Its checksum finds accidents, not forgers.

use prost::{Message, encoding};
use thiserror::Error;

use crate::bank::{Passbook, VersionVector};
use crate::model::{BranchId, Money, Roster, Sequence};

/// Which bank a token is of. Branches of one bank in different processes have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BankMark(pub u64);

impl BankMark {
    /// The mark of the bank called `name`, whose branches are `roster` and began with
    /// `opening_balance`.
    pub fn of(name: &str, roster: &Roster, opening_balance: Money) -> Self {
        let ids: Vec<String> = roster.ids().iter().map(BranchId::to_string).collect();
        Self(checksum(format!("{name}\n{}\n{opening_balance}", ids.join(",")).as_bytes()))
    }
}

/// Why a token is no passbook of this bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenError {
    /// This program did not make it, or it did not come whole.
    #[error("not a token as this bank gives them; show it as it came, or leave it out")]
    Malformed,
    /// Another bank made it.
    #[error("another bank's token; leave it out here")]
    OtherBank,
}

#[derive(Clone, PartialEq, Message)]
struct Token {
    #[prost(fixed64, tag = "1")]
    bank: u64,
    #[prost(uint64, repeated, tag = "2")]
    writes: Vec<u64>,
    #[prost(uint64, repeated, tag = "3")]
    reads: Vec<u64>,
    #[prost(fixed64, tag = "4")]
    checksum: u64,
}

/// The token of `passbook` at `bank`.
pub fn token_of(passbook: &Passbook, bank: BankMark) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    put_number(1, bank.0, &mut bytes);
    put_counts(2, &passbook.writes, &mut bytes);
    put_counts(3, &passbook.reads, &mut bytes);
    put_number(4, checksum(&bytes), &mut bytes);
    bytes
}

/// Field `tag` of a [`Token`], as prost has it: nothing where it is 0.
fn put_number(tag: u32, number: u64, bytes: &mut Vec<u8>) {
    if number != 0 {
        encoding::fixed64::encode(tag, &number, bytes);
    }
}

/// Field `tag` of a [`Token`], as prost has it: without a vector in between, for every answer
/// carries a token.
fn put_counts(tag: u32, vector: &VersionVector, bytes: &mut Vec<u8>) {
    let counts = || vector.counts().map(Sequence::get);
    let length: usize = counts().map(encoding::encoded_len_varint).sum();
    encoding::encode_key(tag, encoding::WireType::LengthDelimited, bytes);
    encoding::encode_varint(u64::try_from(length).unwrap_or(u64::MAX), bytes);
    for count in counts() {
        encoding::encode_varint(count, bytes);
    }
}

/// The passbook that `token` stands for at `bank`, whose branches are `roster`.
pub fn passbook_of(token: &[u8], bank: BankMark, roster: &Roster) -> Result<Passbook, TokenError> {
    let read = Token::decode(token).map_err(|_| TokenError::Malformed)?;
    let plain = Token { checksum: 0, ..read.clone() };
    if read.encode_to_vec() != token || checksum(&plain.encode_to_vec()) != read.checksum {
        return Err(TokenError::Malformed);
    }
    if read.bank != bank.0 {
        return Err(TokenError::OtherBank);
    }
    let vector = |counts: Vec<u64>| {
        VersionVector::from_counts(counts.into_iter().map(Sequence::new), roster)
            .ok_or(TokenError::OtherBank)
    };
    Ok(Passbook { writes: vector(read.writes)?, reads: vector(read.reads)? })
}

/// FNV-1a of 64 bits: Fowler, Noll, Vo.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BANK: BankMark = BankMark(7);

    fn roster(branches: i64) -> Roster {
        Roster::new((1..=branches).map(|id| BranchId::new(id).unwrap())).unwrap()
    }

    fn vector(counts: &[u64]) -> VersionVector {
        let counts = counts.iter().copied().map(Sequence::new);
        VersionVector::from_counts(counts, &roster(3)).unwrap()
    }

    fn passbook() -> Passbook {
        Passbook { writes: vector(&[1, 0, 300]), reads: vector(&[2, 5, 300]) }
    }

    #[test]
    fn another_banks_token_is_refused() {
        let token = token_of(&passbook(), BANK);
        assert_eq!(passbook_of(&token, BankMark(8), &roster(3)), Err(TokenError::OtherBank));
        assert_eq!(passbook_of(&token, BANK, &roster(2)), Err(TokenError::OtherBank));
    }

    #[test]
    fn a_token_that_did_not_come_whole_is_refused() {
        let token = token_of(&passbook(), BANK);
        for len in 0..token.len() {
            assert_eq!(passbook_of(&token[..len], BANK, &roster(3)), Err(TokenError::Malformed));
        }
        for bit in 0..token.len() * 8 {
            let mut changed = token.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(passbook_of(&changed, BANK, &roster(3)), Err(TokenError::Malformed));
        }
        let longer = [token.as_slice(), b"\x28\x01"].concat();
        assert_eq!(passbook_of(&longer, BANK, &roster(3)), Err(TokenError::Malformed));
    }

    proptest! {
        #[test]
        fn a_passbook_survives_its_token(
            writes in prop::array::uniform3(any::<u64>()),
            reads in prop::array::uniform3(any::<u64>()),
            bank in any::<u64>(),
        ) {
            let passbook = Passbook { writes: vector(&writes), reads: vector(&reads) };
            let token = token_of(&passbook, BankMark(bank));
            prop_assert_eq!(passbook_of(&token, BankMark(bank), &roster(3)), Ok(passbook));
        }

        #[test]
        fn any_bytes_are_refused_in_peace(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(passbook_of(&bytes, BANK, &roster(3)), Err(TokenError::Malformed));
        }
    }
}
