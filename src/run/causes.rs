//! What is told of an error, with all that is behind it.

use std::error::Error;

/// `error` and its causes, in one sentence. A cause that the text so far names is not told again.
pub fn with_causes(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_told = cause.to_string();
        if !told.contains(&cause_told) {
            told = format!("{told}: {cause_told}");
        }
        source = cause.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error("{told}")]
    struct Told {
        told: &'static str,
        source: Option<Box<Self>>,
    }

    fn chain(of: &[&'static str]) -> Option<Box<Told>> {
        let (&told, behind) = of.split_first()?;
        Some(Box::new(Told { told, source: chain(behind) }))
    }

    #[test]
    fn each_cause_is_told_once() {
        for (of, told) in [
            (&["no answer"][..], "no answer"),
            (
                &["no answer", "the connection is gone", "reset"],
                "no answer: the connection is gone: reset",
            ),
            (&["no answer: reset", "reset", "by the peer"], "no answer: reset: by the peer"),
        ] {
            assert_eq!(with_causes(&chain(of).unwrap()), told);
        }
    }
}
