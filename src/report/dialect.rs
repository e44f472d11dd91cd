//! The classic output dialects: one line of JSON, and nothing else.

use std::io::{self, Write};

use crate::scenario::Output;

/// Writes `output` as one line: `[{"id":1,"balance":400}]`.
pub fn write(out: &mut dyn Write, output: &Output) -> io::Result<()> {
    serde_json::to_writer(&mut *out, output)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dialect;
    use crate::report::fixture::Bank;

    #[test]
    fn each_dialect_is_one_line() {
        let bank = Bank::new("a", 2).deposit(1, 1, 400, 1).refuse(1, 2, 900, 2).query(1, 3, 2);
        let result = bank.run().result;
        for (dialect, line) in [
            (Dialect::Balances, r#"[{"id":1,"balance":400}]"#),
            (
                Dialect::Events,
                concat!(
                    r#"[{"id":1,"recv":[{"interface":"deposit","branch":1,"result":"success"}]},"#,
                    r#"{"id":1,"recv":[{"interface":"withdraw","branch":2,"result":"fail"}]},"#,
                    r#"{"id":1,"recv":[{"interface":"query","branch":2,"balance":400}]}]"#
                ),
            ),
            (
                Dialect::Customers,
                concat!(
                    r#"[{"id":1,"recv":[{"interface":"deposit","result":"success"},"#,
                    r#"{"interface":"withdraw","result":"fail"},"#,
                    r#"{"interface":"query","balance":400}]}]"#
                ),
            ),
        ] {
            let mut out = Vec::new();
            write(&mut out, &result.output(dialect)).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("{line}\n"));
        }
    }
}
