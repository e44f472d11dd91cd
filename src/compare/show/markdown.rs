//! A comparison as Markdown, for a README or a pull request.

use std::io::{self, Write};

use super::tables::{self, Holds, Table, Value};
use crate::compare::analyse::{Report, Verdict, name};
use crate::model::Shown;

/// Writes `report` as GitHub's Markdown.
///
/// # Errors
///
/// If `out` takes no more.
pub fn write_markdown(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "### {}\n", escaped(&Shown::name(&report.subject.scenario).to_string()))?;
    writeln!(out, "{}", escaped(&report.headline))?;
    write_table(out, &tables::latencies(report))?;
    if report.ladder.steps.len() > 1 {
        write_table(out, &tables::steps(report))?;
    }
    write_table(out, &tables::costs(report))?;
    if let Some(changes) = tables::changes(report) {
        write_table(out, &changes)?;
    }
    writeln!(out)?;
    for warning in &report.warnings {
        writeln!(out, "- {}", escaped(&warning.to_string()))?;
    }
    if !report.warnings.is_empty() {
        writeln!(out)?;
    }
    writeln!(
        out,
        "{}; {}. {}. Seed {}, passbook {}. {}",
        escaped(&name::subject(&report.subject)),
        name::load(report.load),
        escaped(&name::machine(&report.machine)),
        report.subject.seed,
        env!("CARGO_PKG_VERSION"),
        code(&report.command)
    )
}

fn write_table(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    let columns = || table.columns.iter().filter(|column| column.in_markdown.is_some());
    write!(out, "\n|")?;
    for title in columns().filter_map(|column| column.in_markdown.as_deref()) {
        let space = if title.is_empty() { "" } else { " " };
        write!(out, "{space}{title} |")?;
    }
    write!(out, "\n|")?;
    for column in columns() {
        let rule = match column.holds {
            Holds::Words => "---|",
            Holds::Numbers => "--:|",
        };
        write!(out, "{rule}")?;
    }
    writeln!(out)?;
    for row in &table.rows {
        let cells = row.iter().zip(&table.columns);
        let cells = cells.filter(|(_, column)| column.in_markdown.is_some());
        let cells: Vec<String> = cells.map(|(value, _)| told(value)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn told(value: &Value) -> String {
    if let Value::Step { name, is_noise: true } = value {
        return format!("{name} (within noise)");
    }
    if let Value::Change(verdict @ (Verdict::Slower | Verdict::Faster)) = value {
        return format!("**{verdict}**");
    }
    value.to_string()
}

/// Text on one line in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in Shown::new(text).to_string().chars() {
        if r"\`*_|<>[]#~&$!".contains(sign) {
            safe.push('\\');
        }
        safe.push(sign);
    }
    // GitHub makes links of addresses.
    safe.replace("://", r":\//").replace("www.", r"www\.")
}

/// Text on one line as code: between more backticks than there are in it.
fn code(text: &str) -> String {
    let text = Shown::new(text).to_string();
    let runs = text.split(|sign| sign != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    let space = if text.contains('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        for (text, told) in [
            ("a_b | *c* `d`", r"a\_b \| \*c\* \`d\`"),
            ("<b>&lt; ![x](y) $z$", r"\<b\>\&lt; \!\[x\](y) \$z\$"),
            ("http://a.b www.c.d", r"http:\//a.b www\.c.d"),
            ("a\n# b\u{1b}", r"a\\n\# b\\u{1b}"),
        ] {
            assert_eq!(escaped(text), told);
        }
        assert_eq!(code("passbook compare a.json"), "`passbook compare a.json`");
        assert_eq!(code("passbook '`a`` b'"), "``` passbook '`a`` b' ```");
    }
}
