//! A comparison as one page that needs nothing else: no script, no font, no network. Charts are
//! drawn twice, for a desktop and for a phone; the style sheet shows the one that fits.

mod curves;
mod distributions;
mod dots;
mod frame;
mod page;
mod scale;
mod steps;
mod svg;

pub use page::write_html;
