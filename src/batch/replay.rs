//! A command line for a shell that runs one scenario of a batch again.

use super::Row;
use crate::report::shell;

/// The command for the scenario of `row`. Rows of the first format do not say which options their
/// batch had.
pub(super) fn command(row: &Row) -> String {
    shell::replay(&row.place, row.options.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fixture::holds;
    use super::super::row::FIRST_FORMAT;
    use super::*;

    fn row(place: &str, options: &str) -> Row {
        Row { place: place.to_owned(), options: Some(Arc::from(options)), ..holds(1) }
    }

    #[test]
    fn every_place_can_be_run_again() {
        for (place, line) in [
            ("input/a.json", "passbook run input/a.json"),
            ("it's a.json", r"passbook run 'it'\''s a.json'"),
            ("a.json.gz", "passbook run a.json.gz"),
            ("-a.json", "passbook run ./-a.json"),
            ("many.jsonl:17", "passbook run many.jsonl:17"),
            ("my many.jsonl:1", "passbook run 'my many.jsonl:1'"),
            ("-x.jsonl:1", "passbook run ./-x.jsonl:1"),
            ("many.jsonl.zst:17", "passbook run many.jsonl.zst:17"),
            ("-:17", "passbook run the-same-input:17"),
            ("-", "passbook run the-same-input"),
            ("/dev/stdin", "passbook run the-same-input"),
            ("/dev/fd/63:2", "passbook run the-same-input:2"),
        ] {
            assert_eq!(command(&row(place, "")), line);
        }
    }

    #[test]
    fn it_repeats_the_options_of_the_batch() {
        let again = |place: &str, options: &str| command(&row(place, options));
        assert_eq!(again("a.json", "--seed 7"), "passbook run --seed 7 a.json");
        assert_eq!(
            again("a.jsonl:2", "--guarantees none --strict"),
            "passbook run --guarantees none --strict a.jsonl:2"
        );
        assert_eq!(again("a.json", "--seed 7;id"), "passbook run --seed '7;id' a.json");
    }

    #[test]
    fn a_row_of_the_first_format_says_no_options() {
        let old = Row { format: FIRST_FORMAT, options: None, ..row("a.jsonl.gz:2", "") };
        assert_eq!(command(&old), "passbook run a.jsonl.gz:2");
    }
}
