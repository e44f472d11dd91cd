//! What outlives the process: each branch has a file, in which it keeps what it must before it says
//! anything that rests on it.

mod about;
mod actor;
mod audit;
mod folder;
mod look;
mod order;
mod rows;
mod simulated;
mod simulated_actor;
mod store;

pub use about::About;
pub use actor::Storage;
pub use audit::{Audit, AuditedBranch};
pub use folder::{BranchFile, DataFolder, FolderError, KeptBranch};
pub use simulated::SimulatedDisk;
pub use simulated_actor::SimulatedStorage;
pub use store::{DiskError, OpenError, Store};
