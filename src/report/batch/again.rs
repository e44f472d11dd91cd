//! A command line for a shell that runs one scenario of a batch again.

use crate::report::shell::word;

/// The command for the scenario at `place`, with `options` after `passbook run`.
pub(super) fn command(place: &str, options: &str) -> String {
    let options = if options.is_empty() { String::new() } else { format!(" {}", options.trim()) };
    let Some((path, line)) = line_in(place) else {
        return match unpacked(place) {
            Some(unpack) => format!("{unpack} {} | passbook run{options} -", word(place)),
            None if place == "-" => format!("passbook run{options} - < the-same-input"),
            None => format!("passbook run{options} {}", word(place)),
        };
    };
    let pick = format!("sed -n {line}p");
    match unpacked(path) {
        Some(unpack) => {
            format!("{unpack} {} | {pick} | passbook run{options} -", word(path))
        }
        None if path == "-" => format!("{pick} the-same-input | passbook run{options} -"),
        None => format!("{pick} {} | passbook run{options} -", word(path)),
    }
}

/// The path and the line of a place such as `many.jsonl:17`.
fn line_in(place: &str) -> Option<(&str, u64)> {
    let (path, line) = place.rsplit_once(':')?;
    Some((path, line.parse().ok()?))
}

/// What unpacks a file of that name.
fn unpacked(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "gz" => Some("zcat"),
        "zst" => Some("zstdcat"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_can_be_run_again() {
        for (place, line) in [
            ("input/a.json", "passbook run input/a.json"),
            ("it's a.json", r"passbook run 'it'\''s a.json'"),
            ("a.json.gz", "zcat a.json.gz | passbook run -"),
            ("many.jsonl:17", "sed -n 17p many.jsonl | passbook run -"),
            ("my many.jsonl:1", "sed -n 1p 'my many.jsonl' | passbook run -"),
            ("many.jsonl.gz:17", "zcat many.jsonl.gz | sed -n 17p | passbook run -"),
            ("many.jsonl.zst:17", "zstdcat many.jsonl.zst | sed -n 17p | passbook run -"),
            ("-:17", "sed -n 17p the-same-input | passbook run -"),
            ("-", "passbook run - < the-same-input"),
        ] {
            assert_eq!(command(place, ""), line);
        }
    }

    #[test]
    fn it_repeats_the_options_of_the_batch() {
        assert_eq!(command("a.json", "--seed 7"), "passbook run --seed 7 a.json");
        assert_eq!(
            command("a.jsonl:2", "--guarantees none"),
            "sed -n 2p a.jsonl | passbook run --guarantees none -"
        );
    }
}
