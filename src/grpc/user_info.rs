//! A URL as it may be shown: a user and a password may stand in it, and errors and logs are read by others.

/// `text` without what stands before the last `@` in it: not even a scheme, for it may be no URL at all, and
/// what looks like one a secret.
pub(crate) fn without_user_info(text: &str) -> String {
    text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, host)| format!("***@{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_user_and_no_password_are_left() {
        for (text, shown) in [
            ("http://localhost:50051", "http://localhost:50051"),
            ("", ""),
            ("http://ann:s3cr3t@host:1", "***@host:1"),
            ("ann:s3@cr://3t@host:1", "***@host:1"),
            ("2=http://ann:s3cr3t@", "***@"),
        ] {
            assert_eq!(without_user_info(text), shown);
        }
    }
}
