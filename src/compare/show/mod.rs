//! A comparison as text, Markdown, CSV, JSON and HTML.

mod csv;
mod html;
mod json;
mod markdown;
mod tables;
mod text;

pub use csv::write_csv;
pub use html::write_html;
pub use json::write_json;
pub use markdown::write_markdown;
pub use text::write_text;
