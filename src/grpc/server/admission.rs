//! What is counted of the calls that come to a bank, and how many of its requests wait.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use prost::Message;
use prost_types::FileDescriptorSet;

use super::limit_log::Limit;
use crate::grpc::error::CallError;
use crate::grpc::error_reason::ErrorReason;
use crate::grpc::proto::DESCRIPTORS;
use crate::grpc::status::reason;
use crate::model::Word;

/// A counter for each of a closed list.
#[derive(Debug)]
pub(super) struct Counts<T> {
    /// In the order of the list.
    counts: Box<[AtomicU64]>,
    of: PhantomData<T>,
}

impl<T: Word> Default for Counts<T> {
    fn default() -> Self {
        Self { counts: T::ALL.iter().map(|_| AtomicU64::new(0)).collect(), of: PhantomData }
    }
}

impl<T: Word> Counts<T> {
    /// Counts one more of `what`.
    pub(super) fn add(&self, what: T) {
        if let Some(place) = T::ALL.iter().position(|&listed| listed == what) {
            self.counts[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All counts, in the order of the list.
    pub(super) fn all(&self) -> impl Iterator<Item = (T, u64)> {
        T::ALL.iter().zip(&self.counts).map(|(&what, count)| (what, count.load(Ordering::Relaxed)))
    }
}

/// Counts what comes to a bank, and how it is answered.
#[derive(Debug)]
pub(super) struct Admission {
    waiting: AtomicUsize,
    turned_away: AtomicU64,
    /// For each of [`METHODS`], and at the end for all others.
    calls: Box<[AtomicU64]>,
    refusals: Counts<ErrorReason>,
    hits: Counts<Limit>,
}

/// The methods of our own contracts, ascending: `passbook.v1.BankService/Deposit`.
static METHODS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let described = FileDescriptorSet::decode(DESCRIPTORS).expect("the build has encoded it");
    let mut methods = Vec::new();
    for file in &described.file {
        for service in &file.service {
            let path = |method: &str| format!("{}.{}/{method}", file.package(), service.name());
            methods.extend(service.method.iter().map(|method| path(method.name())));
        }
    }
    methods.sort_unstable();
    methods
});

/// What was called: a place in [`METHODS`], or past its end something else, health and reflection
/// among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Called(usize);

/// A place among the requests that wait; given back when it is dropped.
#[derive(Debug)]
pub(super) struct WaitingSlot(Arc<Admission>);

impl Called {
    /// What the path of a call names.
    pub(super) fn at(path: &str) -> Self {
        let named = path.strip_prefix('/').unwrap_or(path);
        let place = METHODS.binary_search_by(|method| method.as_str().cmp(named));
        Self(place.unwrap_or(METHODS.len()))
    }

    /// Service and method.
    pub(super) fn name(self) -> &'static str {
        METHODS.get(self.0).map_or("other", String::as_str)
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            waiting: AtomicUsize::default(),
            turned_away: AtomicU64::default(),
            calls: (0..=METHODS.len()).map(|_| AtomicU64::default()).collect(),
            refusals: Counts::default(),
            hits: Counts::default(),
        }
    }
}

impl Admission {
    /// One of `most` places, if one is free.
    pub(super) fn place(admission: &Arc<Self>, most: usize) -> Result<WaitingSlot, CallError> {
        let waiting = admission.waiting.fetch_add(1, Ordering::Relaxed);
        let place = WaitingSlot(Arc::clone(admission));
        if waiting < most { Ok(place) } else { Err(CallError::Overloaded { waiting }) }
    }

    /// How many requests wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Counts a request that was turned away.
    pub(super) fn turn_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Counts a call.
    pub(super) fn call(&self, called: Called) {
        self.calls[called.0].fetch_add(1, Ordering::Relaxed);
    }

    /// What was called, and how often.
    pub(super) fn calls(&self) -> impl Iterator<Item = (Called, u64)> {
        let calls = self.calls.iter().enumerate();
        calls.map(|(place, calls)| (Called(place), calls.load(Ordering::Relaxed)))
    }

    /// Counts that a call ended in `error`.
    pub(super) fn refuse(&self, error: &CallError) {
        self.refusals.add(reason(error));
        if let Some(limit) = Limit::of(error) {
            self.hits.add(limit);
        }
    }

    /// How many calls ended in an error, by its reason.
    pub(super) fn refusals(&self) -> impl Iterator<Item = (ErrorReason, u64)> {
        self.refusals.all()
    }

    /// How many of them ended so at each limit.
    pub(super) fn hits(&self) -> impl Iterator<Item = (Limit, u64)> {
        self.hits.all()
    }
}

impl Drop for WaitingSlot {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
