//! An object of a file while its members are checked: what its fields are, or what is wrong with
//! one and where.

use super::fault::{Checked, Fault};
use super::locate::{Member, Node};
use super::problem::{BranchList, Problem};
use super::source::Span;
use super::value::{Field, Value};
use crate::model::{BranchId, Roster};

/// An object that begins at the byte `start` of `text`. Where places are not known the text is
/// empty, and so is every place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    /// What it stands for.
    pub(super) of: &'static str,
}

impl<'a> Object<'a> {
    /// The member with one of `names`; the object itself if there is none.
    fn member(self, names: &[&str]) -> Member<'a> {
        let node = Node::at(self.text, self.start);
        node.members_named(names).next().unwrap_or(Member { key: node, value: node })
    }

    /// Its first byte.
    pub(super) const fn bracket(self) -> Span {
        Span::new(self.start, 1)
    }

    /// The key that is one of `names`.
    pub(super) fn key(self, names: &[&str]) -> Span {
        self.member(names).key.span()
    }

    /// The value of the key that is one of `names`.
    pub(super) fn value(self, names: &[&str]) -> Node<'a> {
        self.member(names).value
    }

    /// A fault of the object as a whole.
    pub(super) fn fault(self, problem: Problem) -> Box<Fault> {
        Fault::new(problem).at(self.bracket())
    }

    /// A fault of the value of the key with one of `names`.
    pub(super) fn fault_in(self, names: &[&str], problem: Problem) -> Box<Fault> {
        Fault::new(problem).at(self.value(names).span())
    }

    /// What `field` is, which has the key `name`, if it is there.
    pub(super) fn optional<T: Value>(
        self,
        name: &'static str,
        field: Field<T>,
    ) -> Checked<Option<T>> {
        match field {
            Field::Absent => Ok(None),
            Field::Is(value) => Ok(Some(value)),
            Field::Wrong => {
                let node = self.value(&[name]);
                let fault = T::read(node.written).err();
                let fault = fault.unwrap_or_else(|| Fault::new(Problem::Empty));
                Err(fault.at(node.span()))
            }
        }
    }

    /// What `field` is, which must be there.
    pub(super) fn required<T: Value>(self, name: &'static str, field: Field<T>) -> Checked<T> {
        self.optional(name, field)?.ok_or_else(|| self.missing(name))
    }

    /// The branch `id`, which is the value of the key `name`, if it is in `roster`.
    pub(super) fn branch(self, name: &str, id: BranchId, roster: &Roster) -> Checked<BranchId> {
        match roster.index(id) {
            Some(_) => Ok(id),
            None => {
                let bank = BranchList::of(roster);
                Err(self.fault_in(&[name], Problem::UnknownBranch { id, bank }))
            }
        }
    }

    pub(super) fn missing(self, key: &'static str) -> Box<Fault> {
        self.fault(Problem::MissingKey { of: self.of, key })
    }

    /// The one of two fields whose keys mean the same.
    pub(super) fn either<T: Value>(
        self,
        names: [&'static str; 2],
        fields: [Field<T>; 2],
    ) -> Checked<Option<T>> {
        let [one, other] = fields;
        if !one.is_absent() && !other.is_absent() {
            return Err(self.two_names(names));
        }
        match self.optional(names[0], one)? {
            Some(value) => Ok(Some(value)),
            None => self.optional(names[1], other),
        }
    }

    /// Both of `names` are there, though they mean the same.
    pub(super) fn two_names(self, names: [&'static str; 2]) -> Box<Fault> {
        let mut members = Node::at(self.text, self.start).members_named(&names);
        let mut key = || members.next().map_or(self.bracket(), |member| member.key.span());
        let (one, other) = (key(), key());
        let [first, second] = names;
        Fault::new(Problem::TwoNames { of: self.of, first, second }).at(other).and(one)
    }

    /// The key `name` belongs to `owner`, if it is there.
    pub(super) fn misplaced(
        self,
        name: &'static str,
        is_absent: bool,
        owner: &'static str,
    ) -> Checked<()> {
        if is_absent {
            return Ok(());
        }
        let problem = Problem::MisplacedKey { of: self.of, key: name, owner };
        Err(Fault::new(problem).at(self.key(&[name])))
    }
}
