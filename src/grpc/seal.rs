//! Seals: tags that only who knows the bank's secret can make. Knows nothing of what is sealed.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::model::{BranchId, Money, Roster, UnknownVersion, Versions};

/// How long a tag is: half of what HMAC-SHA256 gives, as RFC 2104 allows.
pub const TAG_BYTES: usize = 16;

const SECRET_BYTES: usize = 32;

/// The versions of a secret's file that are read. The first line of a later one is `version N`.
const VERSIONS: Versions =
    Versions { what: "a secret", oldest: 1, newest: 1, otherwise: "use the passbook that made it" };

/// What the processes of one bank know, and no other process.
#[derive(Clone)]
pub struct BankSecret {
    /// Seals.
    first: Box<[u8]>,
    /// Accepted beside it, while one is changed for another.
    second: Option<Box<[u8]>>,
}

/// Text that is no secret of a bank. None of it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// Some line is not as they are written.
    #[error("line {line} is not 64 hexadecimal digits")]
    Line {
        /// Which one.
        line: usize,
    },
    /// Of another passbook's version.
    #[error(transparent)]
    OtherVersion(#[from] UnknownVersion),
    /// More lines than one that seals, and one that is accepted beside it.
    #[error("it has {found} lines; there are at most two, the one that seals and an older one")]
    TooMany {
        /// How many.
        found: usize,
    },
}

/// The operating system gives no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the operating system gives no random numbers: {0}")]
pub struct NoRandomness(getrandom::Error);

impl BankSecret {
    /// One that no other process knows.
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(NoRandomness)?;
        Ok(Self { first: bytes.into(), second: None })
    }

    /// None at all: it follows from the name of the bank.
    pub fn public() -> Self {
        Self { first: [0; SECRET_BYTES].into(), second: None }
    }

    /// As it is written in a file: one line or two, each of 64 hexadecimal digits.
    pub fn read(text: &str) -> Result<Self, SecretError> {
        if let Some(version) = version_in(text) {
            VERSIONS.check(version)?;
        }
        let mut secrets = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            secrets.push(bytes_of(line).ok_or(SecretError::Line { line: index + 1 })?);
        }
        let found = secrets.len();
        let mut secrets = secrets.into_iter();
        match (secrets.next(), secrets.next(), secrets.next()) {
            (None, _, _) => Err(SecretError::Empty),
            (Some(first), second, None) => Ok(Self { first, second }),
            (Some(_), _, Some(_)) => Err(SecretError::TooMany { found }),
        }
    }

    /// The line of a file that holds the one that seals.
    pub fn line(&self) -> String {
        self.first.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The version that the first line says, if it is such a line.
fn version_in(text: &str) -> Option<u64> {
    text.lines().next()?.trim().strip_prefix("version ")?.parse().ok()
}

fn bytes_of(line: &str) -> Option<Box<[u8]>> {
    if line.len() != 2 * SECRET_BYTES || !line.is_ascii() {
        return None;
    }
    (0..SECRET_BYTES).map(|at| u8::from_str_radix(&line[2 * at..][..2], 16).ok()).collect()
}

/// The keys of one bank, each for one purpose.
#[derive(Debug, Clone)]
pub struct BankKeys {
    /// For the passbooks that clients carry.
    pub tokens: Seal,
    /// For what branches in different processes prove to each other.
    pub peers: Seal,
}

impl BankKeys {
    /// The keys that follow from `secret` for the bank called `name`, whose branches are `roster`
    /// and began with `opening_balance`. Branches of one bank in different processes have the same.
    pub fn new(secret: &BankSecret, name: &str, roster: &Roster, opening_balance: Money) -> Self {
        let ids: Vec<String> = roster.ids().iter().map(BranchId::to_string).collect();
        let bank = format!("{name}\n{}\n{opening_balance}", ids.join(","));
        let seal = |purpose: &str| Seal::new(secret, &format!("passbook {purpose}\n{bank}"));
        Self { tokens: seal("tokens"), peers: seal("peers") }
    }
}

type Tagger = Hmac<Sha256>;

/// Makes and checks tags with one key. Cheap to copy.
#[derive(Clone)]
pub struct Seal(Arc<Taggers>);

/// Each has its key in it, so that it is not worked in again for every tag.
struct Taggers {
    makes: Tagger,
    accepts: Option<Tagger>,
}

impl Seal {
    fn new(secret: &BankSecret, purpose: &str) -> Self {
        let derived = |secret: &[u8]| {
            let key = tagger(secret).chain_update(purpose).finalize();
            tagger(&key.into_bytes())
        };
        let accepts = secret.second.as_deref().map(derived);
        Self(Arc::new(Taggers { makes: derived(&secret.first), accepts }))
    }

    /// The tag of `text`.
    pub fn tag(&self, text: &[u8]) -> [u8; TAG_BYTES] {
        let whole = self.0.makes.clone().chain_update(text).finalize().into_bytes();
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&whole[..TAG_BYTES]);
        tag
    }

    /// Whether `tag` is the whole tag of `text`. How long this takes does not tell how much of it
    /// is right.
    pub fn is_tag_of(&self, tag: &[u8], text: &[u8]) -> bool {
        let Taggers { makes, accepts } = &*self.0;
        let fits =
            |tagger: &Tagger| tagger.clone().chain_update(text).verify_truncated_left(tag).is_ok();
        tag.len() == TAG_BYTES && (fits(makes) || accepts.as_ref().is_some_and(fits))
    }
}

fn tagger(key: &[u8]) -> Tagger {
    Tagger::new_from_slice(key).expect("a key of HMAC may be of any length")
}

impl fmt::Debug for BankSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BankSecret")
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    fn keys(text: &str, name: &str) -> BankKeys {
        let branches = [1, 2].map(|id| BranchId::new(id).unwrap());
        let roster = Roster::new(branches).unwrap();
        BankKeys::new(&BankSecret::read(text).unwrap(), name, &roster, Money::ZERO)
    }

    /// The numbers were made with Python's `hmac` and `hashlib`.
    #[test]
    fn a_tag_is_the_first_half_of_hmac_sha256_under_a_key_of_its_purpose() {
        let keys = keys(&secret('5'), "bank");
        let hex = |tag: [u8; TAG_BYTES]| tag.map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(hex(keys.tokens.tag(b"text")), "648d310a1e9deb6e4357496f3ea7b8de");
        assert_eq!(hex(keys.peers.tag(b"text")), "f4db020bd0cfbae49a5c3bce272814f2");
    }

    #[test]
    fn a_tag_is_good_for_its_text_bank_and_purpose_alone() {
        let keys_of = keys;
        let keys = keys_of(&secret('5'), "bank");
        let tag = keys.tokens.tag(b"text");
        assert!(keys.tokens.is_tag_of(&tag, b"text"));
        assert!(!keys.tokens.is_tag_of(&tag, b"texts"));
        assert!(!keys.peers.is_tag_of(&tag, b"text"));
        assert!(!keys_of(&secret('5'), "other").tokens.is_tag_of(&tag, b"text"));
        assert!(!keys_of(&secret('6'), "bank").tokens.is_tag_of(&tag, b"text"));
        for len in 0..TAG_BYTES {
            assert!(!keys.tokens.is_tag_of(&tag[..len], b"text"), "{len} bytes of it");
        }
    }

    #[test]
    fn of_two_secrets_the_first_seals_and_both_are_accepted() {
        let (old, new) = (keys(&secret('a'), "bank"), keys(&secret('b'), "bank"));
        let both = keys(&format!("{}\n{}\n", secret('b'), secret('a')), "bank");
        assert_eq!(both.tokens.tag(b"text"), new.tokens.tag(b"text"));
        for keys in [&old, &new, &both] {
            assert!(both.tokens.is_tag_of(&keys.tokens.tag(b"text"), b"text"));
        }
        assert!(!old.tokens.is_tag_of(&both.tokens.tag(b"text"), b"text"));
    }

    #[test]
    fn what_is_no_secret_is_told_by_its_line_and_never_shown() {
        let three = [secret('1'), secret('2'), secret('3')].join("\n");
        for (text, error) in [
            (String::new(), SecretError::Empty),
            (secret('g'), SecretError::Line { line: 1 }),
            (secret('1')[1..].to_owned(), SecretError::Line { line: 1 }),
            (format!("{}\n\n", secret('1')), SecretError::Line { line: 2 }),
            ("é".repeat(32), SecretError::Line { line: 1 }),
            (three, SecretError::TooMany { found: 3 }),
            ("version 2\nkey 5\n".to_owned(), UnknownVersion { found: 2, known: VERSIONS }.into()),
            ("version two".to_owned(), SecretError::Line { line: 1 }),
        ] {
            assert_eq!(BankSecret::read(&text).unwrap_err(), error, "{text:?}");
        }
        let read = BankSecret::read(&format!("{}\r\n", secret('C'))).unwrap();
        assert_eq!(read.line(), secret('c'));
        assert_eq!(format!("{read:?}"), "BankSecret");
    }

    #[test]
    fn no_two_random_secrets_are_alike() {
        let [one, other] = [0, 1].map(|_| BankSecret::random().unwrap().line());
        assert_ne!(one, other);
        assert_eq!(BankSecret::read(&one).unwrap().line(), one);
    }
}
