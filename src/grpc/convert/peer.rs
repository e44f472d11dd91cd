//! What branches in different processes say to each other, in the typed contract's words.

use super::field::within;
use super::{FieldError, FieldProblem, branch_id, write, write_id};
use crate::bank::{
    Acknowledgement, LifeList, Missed, PropagatedWrite, Rest, VersionVector, WriteSetDigest,
};
use crate::grpc::proto::v1;
use crate::model::{BranchId, Dot, Life, LogEntry, Money, Roster, Sequence};

/// What the branches of one bank have in common.
pub fn bank_description(roster: &Roster, opening_balance: Money) -> v1::BankDescription {
    v1::BankDescription {
        branch_ids: roster.ids().iter().map(|id| id.get()).collect(),
        opening_balance: opening_balance.to_string(),
    }
}

/// `version` as entries; origins without writes are left out.
pub fn version_entries(version: &VersionVector, roster: &Roster) -> v1::VersionVector {
    let entry = |last: Dot| v1::VersionEntry {
        origin_branch_id: last.origin.get(),
        life: life_field(last.life),
        applied: last.sequence.get(),
    };
    v1::VersionVector { entries: version.last_dots(roster).into_iter().map(entry).collect() }
}

/// `lives` as a list; without any where all are the roster's first.
pub fn life_numbers(lives: &LifeList, roster: &Roster) -> v1::LifeList {
    if *lives == LifeList::of_first_lives() {
        return v1::LifeList::default();
    }
    v1::LifeList { lives: lives.lives(roster).map(Life::get).collect() }
}

/// The list of lives in `field`.
pub fn life_list(
    field: &str,
    list: Option<&v1::LifeList>,
    roster: &Roster,
) -> Result<LifeList, FieldError> {
    let Some(v1::LifeList { lives }) = list.filter(|list| !list.lives.is_empty()) else {
        return Ok(LifeList::of_first_lives());
    };
    let of_each = LifeList::from_lives(lives.iter().copied().map(Life::new), roster);
    let problem = FieldProblem::OneForEach { branches: roster.len(), found: lives.len() };
    of_each.ok_or_else(|| FieldError::new("lives", problem).within(field))
}

/// How an answer ends that is told in `field`, without its writes, and with which list of lives; `None`:
/// the question was thrown away.
pub fn answer_end(
    field: &str,
    end: &v1::AnswerEnd,
    roster: &Roster,
) -> Result<(LifeList, Option<Missed>), FieldError> {
    within(field, Some(end), |end| {
        let lives = life_list("lives", end.lives.as_ref(), roster)?;
        let rest = match v1::AnswerRest::try_from(end.rest) {
            Ok(v1::AnswerRest::Unspecified) => None,
            Ok(v1::AnswerRest::Nothing) => Some(Rest::Nothing),
            Ok(v1::AnswerRest::More) => Some(Rest::More),
            Err(_) => {
                let problem = FieldProblem::EnumValue { name: "AnswerRest", found: end.rest };
                return Err(FieldError::new("rest", problem));
            }
        };
        let held = end.held.map(|held| count("held", held)).transpose()?;
        Ok((lives, rest.map(|rest| Missed { writes: Vec::new(), rest, held })))
    })
}

/// How many lives the vectors of a bank of `roster` count at most that come from elsewhere, beside one
/// of each branch: `serve` warns long before.
pub fn lives_max(roster: &Roster) -> usize {
    roster.len().saturating_add(10_000)
}

/// The version vector in `field`; left out, it holds nothing.
pub fn version_vector(
    field: &str,
    vector: Option<&v1::VersionVector>,
    roster: &Roster,
) -> Result<VersionVector, FieldError> {
    let mut read = VersionVector::new(roster);
    let mut previous = None;
    let entries = vector.map_or(&[][..], |vector| &vector.entries);
    let wrong = |problem: FieldProblem| FieldError::new("entries", problem).within(field);
    if entries.len() > lives_max(roster) {
        return Err(wrong(FieldProblem::TooManyParts { most: lives_max(roster) }));
    }
    for entry in entries {
        let branch = branch_id("entries", entry.origin_branch_id)
            .map_err(|error: FieldError| error.within(field))?;
        let index = roster.index(branch).ok_or(FieldProblem::UnknownBranch { branch });
        let index = index.map_err(wrong)?;
        let life = life(entry.life);
        if previous >= Some((index, life)) {
            return Err(wrong(FieldProblem::NotAscending { branch }));
        }
        previous = Some((index, life));
        let applied = count("applied", entry.applied)
            .map_err(|error| error.within("entries").within(field))?;
        read.cover(roster.in_life(index, life), applied);
    }
    Ok(read)
}

/// The logged write in `field`.
pub fn logged_write(
    field: &str,
    logged: Option<&v1::LoggedWrite>,
    roster: &Roster,
) -> Result<LogEntry, FieldError> {
    within(field, logged, |logged| {
        Ok(LogEntry {
            dot: Dot {
                origin: member("origin_branch_id", logged.origin_branch_id, roster)?,
                life: life(logged.life),
                sequence: sequence("sequence", logged.sequence)?,
            },
            id: write_id("id", logged.id)?,
            write: write("write", logged.write.as_ref())?,
        })
    })
}

/// The propagated write in `field`.
pub fn propagated_write(
    field: &str,
    propagated: Option<&v1::PropagatedWrite>,
    roster: &Roster,
) -> Result<PropagatedWrite, FieldError> {
    within(field, propagated, |propagated| {
        let LogEntry { dot, id, write } =
            logged_write("logged", propagated.logged.as_ref(), roster)?;
        let dependencies = match &propagated.dependencies {
            None => None,
            Some(_) => {
                let all = version_vector("dependencies", propagated.dependencies.as_ref(), roster)?;
                Some(all.into())
            }
        };
        Ok(PropagatedWrite { dot, id, write, dependencies })
    })
}

/// The acknowledgement in `field`; the branch that sends it is in it too.
pub fn acknowledgement(
    field: &str,
    acknowledged: Option<&v1::Acknowledgement>,
    roster: &Roster,
) -> Result<Acknowledgement, FieldError> {
    within(field, acknowledged, |acknowledged| {
        Ok(Acknowledgement {
            dot: Dot {
                origin: member("origin_branch_id", acknowledged.origin_branch_id, roster)?,
                life: life(acknowledged.life),
                sequence: sequence("sequence", acknowledged.sequence)?,
            },
            id: write_id("id", acknowledged.id)?,
            write_set: WriteSetDigest::told(
                acknowledged.write_set_len,
                acknowledged.write_set_fingerprint,
                acknowledged.write_set_contents_fingerprint,
            ),
        })
    })
}

fn member(field: &str, number: u32, roster: &Roster) -> Result<BranchId, FieldError> {
    let branch = branch_id(field, number)?;
    match roster.index(branch) {
        Some(_) => Ok(branch),
        None => Err(FieldError::new(field, FieldProblem::UnknownBranch { branch })),
    }
}

fn sequence(field: &str, number: u64) -> Result<Sequence, FieldError> {
    match number {
        0 => Err(FieldError::new(field, FieldProblem::NoPlace)),
        place => count(field, place),
    }
}

fn count(field: &str, number: u64) -> Result<Sequence, FieldError> {
    number.try_into().map_err(|_| FieldError::new(field, FieldProblem::TooManyWrites { number }))
}

/// A life as a field has it: a branch's first one is left out.
pub(super) fn life_field(life: Life) -> u64 {
    if life == Life::FIRST { 0 } else { life.get() }
}

fn life(field: u64) -> Life {
    if field == 0 { Life::FIRST } else { Life::new(field) }
}

impl From<LogEntry> for v1::LoggedWrite {
    fn from(entry: LogEntry) -> Self {
        Self {
            id: Some(entry.id.into()),
            write: Some(entry.write.into()),
            origin_branch_id: entry.dot.origin.get(),
            sequence: entry.dot.sequence.get(),
            life: life_field(entry.dot.life),
        }
    }
}

impl v1::PropagatedWrite {
    /// `propagated` in a bank of `roster`.
    pub fn of(propagated: &PropagatedWrite, roster: &Roster) -> Self {
        let &PropagatedWrite { dot, id, write, ref dependencies } = propagated;
        Self {
            logged: Some(LogEntry { dot, id, write }.into()),
            dependencies: dependencies.as_ref().map(|known| version_entries(known.all(), roster)),
        }
    }
}

impl v1::AnswerEnd {
    /// The end of the answer `missed` from a branch of `roster` whose list is `lives`; `None`: the
    /// question was thrown away.
    pub fn of(missed: Option<&Missed>, lives: &LifeList, roster: &Roster) -> Self {
        let rest = match missed.map(|missed| missed.rest) {
            None => v1::AnswerRest::Unspecified,
            Some(Rest::Nothing) => v1::AnswerRest::Nothing,
            Some(Rest::More) => v1::AnswerRest::More,
        };
        let held = missed.and_then(|missed| missed.held).map(Sequence::get);
        Self { rest: rest.into(), lives: Some(life_numbers(lives, roster)), held }
    }
}

impl v1::Acknowledgement {
    /// `acknowledged`, by `branch`.
    pub fn by(branch: BranchId, acknowledged: &Acknowledgement) -> Self {
        let Acknowledgement { dot, id, write_set } = *acknowledged;
        Self {
            id: Some(id.into()),
            origin_branch_id: dot.origin.get(),
            sequence: dot.sequence.get(),
            life: life_field(dot.life),
            branch_id: branch.get(),
            write_set_len: write_set.len,
            write_set_fingerprint: write_set.ids,
            write_set_contents_fingerprint: write_set.contents(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, CustomerId, EventId, IdError, Write, WriteId};
    use proptest::prelude::*;

    fn branch(id: i64) -> BranchId {
        BranchId::new(id).unwrap()
    }

    /// Branches 2, 5 and 9: neither dense nor from 1.
    fn roster() -> Roster {
        Roster::new([2, 5, 9].map(branch)).unwrap()
    }

    fn vector(entries: &[v1::VersionEntry]) -> Result<VersionVector, FieldError> {
        let vector = v1::VersionVector { entries: entries.to_vec() };
        version_vector("version", Some(&vector), &roster())
    }

    fn entry(origin_branch_id: u32, applied: u64) -> v1::VersionEntry {
        v1::VersionEntry { origin_branch_id, applied, life: 0 }
    }

    #[test]
    fn a_version_vector_that_is_none_is_refused() {
        let wrong = |problem: FieldProblem| Err(FieldError::new("version.entries", problem));
        assert_eq!(vector(&[entry(0, 1)]), wrong(IdError { found: 0 }.into()));
        let unknown = FieldProblem::UnknownBranch { branch: branch(3) };
        assert_eq!(vector(&[entry(3, 1)]), wrong(unknown));
        for twice in [[entry(5, 1), entry(5, 2)], [entry(9, 1), entry(5, 2)]] {
            let problem = FieldProblem::NotAscending { branch: branch(5) };
            assert_eq!(vector(&twice), wrong(problem));
        }
        let lives: Vec<_> =
            (1..=10_004).map(|life| v1::VersionEntry { life, ..entry(5, 1) }).collect();
        assert_eq!(vector(&lives), wrong(FieldProblem::TooManyParts { most: 10_003 }));
        assert!(vector(&lives[1..]).is_ok());
        assert_eq!(vector(&[]), Ok(VersionVector::new(&roster())));
        assert_eq!(version_vector("version", None, &roster()), vector(&[]));
    }

    #[test]
    fn a_list_of_lives_has_one_for_each_branch() {
        let list = |lives: &[u64]| {
            life_list("lives", Some(&v1::LifeList { lives: lives.to_vec() }), &roster())
        };
        for found in [1, 4] {
            let problem = FieldProblem::OneForEach { branches: 3, found };
            assert_eq!(list(&vec![7; found]), Err(FieldError::new("lives.lives", problem)));
        }
        assert_eq!(list(&[]), Ok(LifeList::of_first_lives()));
        assert_eq!(life_list("lives", None, &roster()), list(&[]));
    }

    #[test]
    fn a_write_of_no_branch_or_place_is_refused() {
        let refused = |change: fn(&mut v1::LoggedWrite)| {
            let mut logged = v1::LoggedWrite {
                id: Some(v1::WriteId { customer_id: 1, event_id: 1 }),
                write: Some(v1::Write { kind: 1, amount: "400".to_owned() }),
                origin_branch_id: 2,
                sequence: 1,
                life: 0,
            };
            change(&mut logged);
            logged_write("missed", Some(&logged), &roster()).unwrap_err()
        };
        assert_eq!(
            refused(|logged| logged.sequence = 0),
            FieldError::new("missed.sequence", FieldProblem::NoPlace)
        );
        const TOO_MANY: u64 = 1 << 32;
        assert_eq!(
            refused(|logged| logged.sequence = TOO_MANY),
            FieldError::new("missed.sequence", FieldProblem::TooManyWrites { number: TOO_MANY })
        );
        assert_eq!(
            refused(|logged| logged.origin_branch_id = 3),
            FieldError::new(
                "missed.origin_branch_id",
                FieldProblem::UnknownBranch { branch: branch(3) }
            )
        );
        assert_eq!(
            refused(|logged| logged.write = None),
            FieldError::new("missed.write", FieldProblem::Missing)
        );
    }

    fn any_version() -> impl Strategy<Value = VersionVector> {
        (prop::array::uniform3(0_u32..4), 0_u32..4, 2_u64..9).prop_map(|(counts, later, life)| {
            let roster = roster();
            let mut vector =
                VersionVector::from_counts(counts.map(Sequence::new), &roster).unwrap();
            let origin = roster.in_life(roster.index(branch(5)).unwrap(), Life::new(life));
            vector.cover(origin, Sequence::new(later));
            vector
        })
    }

    proptest! {
        #[test]
        fn what_branches_say_survives_the_wire(
            (origin, sequence, customer, event) in (0_usize..3, 1..=u32::MAX, 1_i64..99, 1_i64..99),
            (cents, len, ids) in (1..=i64::MAX, any::<u32>(), any::<u64>()),
            contents in any::<Option<u64>>(),
            dependencies in prop::option::of(any_version()),
            life in 1_u64..4,
        ) {
            let roster = roster();
            let (life, sequence) = (Life::new(life), Sequence::new(sequence));
            let dot = Dot { origin: roster.ids()[origin], life, sequence };
            let id = WriteId {
                customer: CustomerId::new(customer).unwrap(),
                event: EventId::new(event).unwrap(),
            };
            let write = Write::deposit(Amount::try_from(Money::from_minor(cents)).unwrap());
            let dependencies = dependencies.map(Into::into);
            let said = PropagatedWrite { dot, id, write, dependencies };
            let wire = v1::PropagatedWrite::of(&said, &roster);
            prop_assert_eq!(propagated_write("write", Some(&wire), &roster), Ok(said));
            let said = Acknowledgement { dot, id, write_set: WriteSetDigest::told(len, ids, contents) };
            let wire = v1::Acknowledgement::by(branch(9), &said);
            prop_assert_eq!(wire.branch_id, 9);
            prop_assert_eq!(acknowledgement("it", Some(&wire), &roster), Ok(said));
        }

        #[test]
        fn a_list_of_lives_and_the_end_of_an_answer_survive_the_wire(
            lives in prop::array::uniform3(0_u64..3),
            rest in prop_oneof![Just(None), Just(Some(Rest::More)), Just(Some(Rest::Nothing))],
            held in any::<Option<u32>>(),
        ) {
            let roster = roster();
            let said = LifeList::from_lives(lives.map(Life::new), &roster).unwrap();
            let held = held.map(Sequence::new);
            let missed = rest.map(|rest| Missed { writes: Vec::new(), rest, held });
            let wire = v1::AnswerEnd::of(missed.as_ref(), &said, &roster);
            prop_assert_eq!(answer_end("end", &wire, &roster), Ok((said, missed)));
        }

        #[test]
        fn a_version_vector_survives_the_wire(version in any_version()) {
            let wire = version_entries(&version, &roster());
            prop_assert_eq!(version_vector("version", Some(&wire), &roster()), Ok(version));
        }
    }
}
