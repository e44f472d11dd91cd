//! The passbook as a token that a client carries and shows, and need not understand. It names no
//! customer: to hand it on is to have the other one see what this one has seen.
//!
//! Its first byte is the version, its last 16 are the bank's tag over all before them. Between them
//! are the life in which the bank began and the branches whose writes it holds, ascending: how many are left out before each, how its
//! lives are listed, and of each of those how many of its writes the session has made and read, all
//! as varints.

use prost::encoding;
use thiserror::Error;

use super::convert::lives_max;
use super::seal::{Seal, TAG_BYTES};
use crate::bank::Passbook;
use crate::model::number::count;
use crate::model::{Life, Roster, Sequence, UnknownVersion, Versions};

/// The version of the tokens that are given.
const VERSION: u8 = 2;

/// The version of those that do not say in which life the bank began: it was the first.
const WITHOUT_LIFE: u8 = 1;

/// The versions that are taken. Before the first there were tokens whose checksum anybody could
/// make.
const VERSIONS: Versions =
    Versions { what: "a token", oldest: 1, newest: 2, otherwise: "leave it out" };

/// With this byte the tokens before version 1 began.
const UNSEALED: u8 = 9;

/// How a branch's lives are listed: one, that in which the bank began, which has no number. With two to
/// add there is one that has, with three there are two of them, and so on.
const ONE_LIFE: u64 = 1;

/// How long a varint is at most.
const VARINT_BYTES_MAX: usize = 10;

/// Why a token is no passbook of this bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenError {
    /// Its tag is not this bank's.
    #[error("not of this bank, or from before it started again; leave it out")]
    NotOfThisBank,
    /// Another version of this program made it.
    #[error(transparent)]
    OtherVersion(#[from] UnknownVersion),
}

/// The token of `passbook` at the bank whose branches are `roster`, sealed with `seal`.
pub fn token_of(passbook: &Passbook, seal: &Seal, roster: &Roster) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    bytes.push(VERSION);
    encoding::encode_varint(roster.first_life().get(), &mut bytes);
    let mut both = passbook.writes.clone();
    both.merge(&passbook.reads);
    let mut next = 0;
    for lives in both.last_dots(roster).chunk_by(|one, other| one.origin == other.origin) {
        let Some(index) = lives.first().and_then(|dot| roster.index(dot.origin)) else { continue };
        let mut number = |number| encoding::encode_varint(number, &mut bytes);
        number(count(index.get() - next));
        next = index.get() + 1;
        let is_numbered = lives.len() > 1 || lives[0].life != roster.first_life();
        number(if is_numbered { ONE_LIFE + count(lives.len()) } else { ONE_LIFE });
        for dot in lives {
            let origin = roster.in_life(index, dot.life);
            if is_numbered {
                number(dot.life.get());
            }
            number(passbook.writes.get(origin).get());
            number(passbook.reads.get(origin).get());
        }
    }
    let tag = seal.tag(&bytes);
    bytes.extend(tag);
    bytes
}

/// The passbook that `token` stands for at the bank whose branches are `roster`. First its length
/// is looked at, then its tag, and its content only then.
pub fn passbook_of(token: &[u8], seal: &Seal, roster: &Roster) -> Result<Passbook, TokenError> {
    let of_lives = lives_max(roster).saturating_mul(5 * VARINT_BYTES_MAX);
    let length_max = 1 + VARINT_BYTES_MAX + of_lives + TAG_BYTES;
    let Some((text, tag)) = token.split_last_chunk::<TAG_BYTES>() else {
        return Err(TokenError::NotOfThisBank);
    };
    if token.len() > length_max {
        return Err(TokenError::NotOfThisBank);
    }
    if !seal.is_tag_of(tag, text) {
        if text.first() == Some(&UNSEALED) {
            VERSIONS.check(0)?;
        }
        return Err(TokenError::NotOfThisBank);
    }
    let (&version, bytes) = text.split_first().ok_or(TokenError::NotOfThisBank)?;
    VERSIONS.check(version.into())?;
    content(bytes, version, roster).ok_or(TokenError::NotOfThisBank)
}

/// The passbook that `bytes` say, or `None` if they are not what [`token_of`] wrote in `version`.
fn content(mut bytes: &[u8], version: u8, roster: &Roster) -> Option<Passbook> {
    let mut passbook = Passbook::new(roster);
    let begun = if version == WITHOUT_LIFE { Life::FIRST } else { Life::new(number(&mut bytes)?) };
    let mut indexes = roster.indexes();
    while !bytes.is_empty() {
        let index = indexes.nth(usize::try_from(number(&mut bytes)?).ok()?)?;
        let numbered = number(&mut bytes)?.checked_sub(ONE_LIFE)?;
        for _ in 0..numbered.max(1) {
            let life = if numbered == 0 { begun } else { Life::new(number(&mut bytes)?) };
            let origin = roster.in_life(index, life);
            passbook.writes.cover(origin, Sequence::try_from(number(&mut bytes)?).ok()?);
            passbook.reads.cover(origin, Sequence::try_from(number(&mut bytes)?).ok()?);
        }
    }
    Some(passbook)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    encoding::decode_varint(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bank::VersionVector;
    use crate::grpc::seal::{BankKeys, BankSecret};
    use crate::model::{BranchId, Money};
    use proptest::prelude::*;

    fn roster(branches: i64) -> Roster {
        Roster::new((1..=branches).map(|id| BranchId::new(id).unwrap())).unwrap()
    }

    fn seal(name: &str) -> Seal {
        BankKeys::new(&BankSecret::public(), name, &roster(3), Money::ZERO).tokens
    }

    fn vector(counts: &[u32]) -> VersionVector {
        let counts = counts.iter().copied().map(Sequence::new);
        VersionVector::from_counts(counts, &roster(3)).unwrap()
    }

    fn passbook() -> Passbook {
        Passbook { writes: vector(&[1, 0, 300]), reads: vector(&[2, 0, 300]) }
    }

    fn token() -> Vec<u8> {
        token_of(&passbook(), &seal("ours"), &roster(3))
    }

    #[test]
    fn a_token_lists_the_branches_that_have_written_and_each_of_their_lives() {
        let token = token();
        let (text, tag) = token.split_last_chunk::<TAG_BYTES>().unwrap();
        // 300 is 0xac 0x02 as a varint.
        assert_eq!(text, [2, 1, 0, 1, 1, 2, 1, 1, 0xac, 2, 0xac, 2]);
        assert_eq!(*tag, seal("ours").tag(text));
    }

    fn other_version(found: u64) -> TokenError {
        UnknownVersion { found, known: VERSIONS }.into()
    }

    #[test]
    fn another_banks_token_is_refused() {
        let found = passbook_of(&token(), &seal("another"), &roster(3));
        assert_eq!(found, Err(TokenError::NotOfThisBank));
    }

    #[test]
    fn a_token_that_did_not_come_whole_is_refused() {
        let refused: Result<Passbook, _> = Err(TokenError::NotOfThisBank);
        let (token, seal) = (token(), seal("ours"));
        for len in 0..token.len() {
            assert_eq!(passbook_of(&token[..len], &seal, &roster(3)), refused);
        }
        for bit in 0..token.len() * 8 {
            let mut changed = token.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(passbook_of(&changed, &seal, &roster(3)), refused);
        }
        let longer = [token.as_slice(), &[0; 200]].concat();
        assert_eq!(passbook_of(&longer, &seal, &roster(3)), refused);
    }

    /// What no bank of this version gives, though it is sealed.
    fn sealed(text: &[u8]) -> Result<Passbook, TokenError> {
        let token = [text, &seal("ours").tag(text)].concat();
        passbook_of(&token, &seal("ours"), &roster(3))
    }

    #[test]
    fn another_versions_token_is_refused_by_its_version() {
        // As the program before seals gave it, for a session that had written once at branch 1.
        let mut unsealed = vec![9, 7, 0, 0, 0, 0, 0, 0, 0, 0x12, 2, 1, 0, 0x1a, 2, 0, 0, 0x21];
        unsealed.extend([0xd1, 0x5c, 0x12, 0x7f, 0x33, 0xe8, 0xa0, 0x19]);
        let error = passbook_of(&unsealed, &seal("ours"), &roster(2)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a token of version 0, and this passbook takes versions 1 and 2; leave it out"
        );
        assert_eq!(sealed(&[3]), Err(other_version(3)));
    }

    #[test]
    fn sealed_content_that_makes_no_sense_is_refused() {
        let too_many = [1, 0, 1, 0x80, 0x80, 0x80, 0x80, 16, 1];
        let texts = [&[1, 3, 1, 1, 1][..], &[1, 0, 2, 1, 1], &[1, 0, 1, 1], &[1, 0x80], &[]];
        for text in texts.into_iter().chain([&too_many[..]]) {
            assert_eq!(sealed(text), Err(TokenError::NotOfThisBank), "{text:?}");
        }
        for text in [&[2][..], &[2, 0x80], &[2, 1, 3, 1, 1, 1], &[2, 1, 0, 1, 1]] {
            assert_eq!(sealed(text), Err(TokenError::NotOfThisBank), "{text:?}");
        }
        for text in [&[1][..], &[2, 9]] {
            assert_eq!(sealed(text), Ok(Passbook::new(&roster(3))), "{text:?}");
        }
    }

    #[test]
    fn a_token_from_before_banks_began_in_lives_is_of_the_first() {
        let text = [1, 0, 1, 1, 2, 1, 1, 0xac, 2, 0xac, 2];
        assert_eq!(sealed(&text), Ok(passbook()));
    }

    #[test]
    fn a_token_names_the_life_in_which_the_bank_began_once() {
        let began = roster(3).beginning_in(Life::new(7));
        let token = token_of(&passbook(), &seal("ours"), &began);
        let (text, _) = token.split_last_chunk::<TAG_BYTES>().unwrap();
        assert_eq!(text, [2, 7, 0, 1, 1, 2, 1, 1, 0xac, 2, 0xac, 2]);
        assert_eq!(passbook_of(&token, &seal("ours"), &began), Ok(passbook()));
        // To a bank that began in another life it names another one.
        let read = passbook_of(&token, &seal("ours"), &roster(3)).unwrap();
        let lives: Vec<u64> =
            read.reads.last_dots(&roster(3)).iter().map(|dot| dot.life.get()).collect();
        assert_eq!(lives, [7, 7]);
    }

    proptest! {
        #[test]
        fn a_passbook_survives_its_token(
            writes in prop::array::uniform3(any::<u32>()),
            reads in prop::array::uniform3(any::<u32>()),
        ) {
            let passbook = Passbook { writes: vector(&writes), reads: vector(&reads) };
            let token = token_of(&passbook, &seal("ours"), &roster(3));
            prop_assert_eq!(passbook_of(&token, &seal("ours"), &roster(3)), Ok(passbook));
        }

        #[test]
        fn any_bytes_are_refused_in_peace(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(passbook_of(&bytes, &seal("ours"), &roster(3)).is_err());
        }
    }
}
