//! What a command prints, against what a document says it prints.

/// Whether `printed` is what `pattern` says: `[..]` is any text within a line, a line `...` is any lines.
/// Blank lines at the end do not count.
pub(crate) fn matches(pattern: &str, printed: &str) -> bool {
    let lines = |text: &str| text.trim_end().lines().map(str::to_owned).collect::<Vec<_>>();
    all(&lines(pattern), &lines(printed))
}

fn all(pattern: &[String], printed: &[String]) -> bool {
    match (pattern, printed) {
        ([], []) => true,
        ([any, rest @ ..], _) if any.trim() == "..." => {
            (0..=printed.len()).any(|skipped| all(rest, &printed[skipped..]))
        }
        ([first, rest @ ..], [line, more @ ..]) => one(first, line.trim_end()) && all(rest, more),
        _ => false,
    }
}

fn one(pattern: &str, line: &str) -> bool {
    match pattern.split_once("[..]") {
        None => pattern.trim_end() == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.into_iter().any(|at| one(after, &rest[at..]))
        }),
    }
}
