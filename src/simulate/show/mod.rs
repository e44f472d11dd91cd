//! How a simulation is shown.

mod json;
mod junit;
mod text;

pub use json::write_json;
pub use junit::write_junit;
pub use text::write_text;
