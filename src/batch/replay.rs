//! A command line for a shell that runs one scenario of a batch again.

use super::row::FIRST_FORMAT;
use super::{Packing, Row};
use crate::report::shell;

/// Stands for what was piped in and is nowhere else.
const PIPED: &str = "the-same-input";
/// What is only there while the batch reads it: its standard input, and pipes of the shell.
const STANDARD_INPUT: [&str; 2] = ["-", "/dev/stdin"];
const PIPES: [&str; 2] = ["/dev/fd/", "/proc/self/fd/"];

/// The command for the scenario of `row`. Rows of the first format do not say which options their
/// batch had.
pub(super) fn command(row: &Row) -> String {
    let options = shell::options(row.options.as_deref().unwrap_or_default());
    let run = if options.is_empty() { String::new() } else { format!(" {options}") };
    let run = format!("passbook run{run}");
    let Some((path, line)) = line_in(&row.place) else {
        return match file(&row.place) {
            Some(file) => format!("{run} {file}"),
            None => format!("{run} - < {PIPED}"),
        };
    };
    let packed = if row.format == FIRST_FORMAT { packed_by_name(path) } else { row.packed };
    let file = file(path).unwrap_or_else(|| PIPED.to_owned());
    match packed {
        Some(packing) => format!("{} < {file} | sed -n {line}p | {run} -", unpack(packing)),
        None => format!("sed -n {line}p {file} | {run} -"),
    }
}

/// The file at `path` as a word; `None` if it is there no more.
fn file(path: &str) -> Option<String> {
    let is_gone =
        STANDARD_INPUT.contains(&path) || PIPES.iter().any(|pipes| path.starts_with(pipes));
    if is_gone { None } else { Some(shell::file(path)) }
}

/// The path and the line of a place such as `many.jsonl:17`.
fn line_in(place: &str) -> Option<(&str, u64)> {
    let (path, line) = place.rsplit_once(':')?;
    Some((path, line.parse().ok()?))
}

/// From standard input, for a name need not say how a file is packed.
const fn unpack(packing: Packing) -> &'static str {
    match packing {
        Packing::Gzip => "gzip -dc",
        Packing::Zstd => "zstd -dc",
    }
}

/// How a file of that name is packed, as far as a name tells.
fn packed_by_name(path: &str) -> Option<Packing> {
    match path.rsplit_once('.')?.1 {
        "gz" => Some(Packing::Gzip),
        "zst" => Some(Packing::Zstd),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::sample::holds;
    use super::*;

    fn row(place: &str, packed: Option<Packing>, options: &str) -> Row {
        Row { place: place.to_owned(), packed, options: Some(Arc::from(options)), ..holds(1) }
    }

    #[test]
    fn every_place_can_be_run_again() {
        for (place, packed, line) in [
            ("input/a.json", None, "passbook run input/a.json"),
            ("it's a.json", None, r"passbook run 'it'\''s a.json'"),
            ("a.json.gz", None, "passbook run a.json.gz"),
            ("-a.json", None, "passbook run ./-a.json"),
            ("many.jsonl:17", None, "sed -n 17p many.jsonl | passbook run -"),
            ("my many.jsonl:1", None, "sed -n 1p 'my many.jsonl' | passbook run -"),
            ("-x.jsonl:1", None, "sed -n 1p ./-x.jsonl | passbook run -"),
            ("many:17", Some(Packing::Gzip), "gzip -dc < many | sed -n 17p | passbook run -"),
            (
                "many.jsonl.zst:17",
                Some(Packing::Zstd),
                "zstd -dc < many.jsonl.zst | sed -n 17p | passbook run -",
            ),
            ("plain.gz:2", None, "sed -n 2p plain.gz | passbook run -"),
            ("-:17", None, "sed -n 17p the-same-input | passbook run -"),
            (
                "-:17",
                Some(Packing::Gzip),
                "gzip -dc < the-same-input | sed -n 17p | passbook run -",
            ),
            ("-", None, "passbook run - < the-same-input"),
            ("/dev/fd/63:2", None, "sed -n 2p the-same-input | passbook run -"),
        ] {
            assert_eq!(command(&row(place, packed, "")), line);
        }
    }

    #[test]
    fn it_repeats_the_options_of_the_batch() {
        let again = |place: &str, options: &str| command(&row(place, None, options));
        assert_eq!(again("a.json", "--seed 7"), "passbook run --seed 7 a.json");
        assert_eq!(
            again("a.jsonl:2", "--guarantees none --strict"),
            "sed -n 2p a.jsonl | passbook run --guarantees none --strict -"
        );
        assert_eq!(again("a.json", "--seed 7;id"), "passbook run --seed '7;id' a.json");
    }

    #[test]
    fn of_a_row_of_the_first_format_the_name_tells_how_its_file_is_packed() {
        let old = |place: &str| {
            let row = row(place, None, "");
            command(&Row { format: FIRST_FORMAT, options: None, ..row })
        };
        assert_eq!(old("a.jsonl.gz:2"), "gzip -dc < a.jsonl.gz | sed -n 2p | passbook run -");
        assert_eq!(old("a.jsonl.zst:2"), "zstd -dc < a.jsonl.zst | sed -n 2p | passbook run -");
        assert_eq!(old("a.jsonl:2"), "sed -n 2p a.jsonl | passbook run -");
    }
}
