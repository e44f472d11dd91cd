//! What an audit of a data folder found: as text, or as one line of JSON.

use std::io::{self, Write};

use serde_json::json;

use super::json::FORMAT;
use super::palette::TITLE;
use super::words::count;
use crate::model::{Lag, Money, Shown};
use crate::storage::{Audit, AuditedBranch};

/// Writes `audit` for a person, with ANSI colour.
pub(crate) fn write_text(out: &mut dyn Write, audit: &Audit) -> io::Result<()> {
    let Audit { bank, roster, opening_balance, branches, flaws } = audit;
    writeln!(out, "{TITLE}{}{TITLE:#}\n", Shown::name(bank))?;
    writeln!(out, "  {}, which opened with {opening_balance}\n", branches_in_words(roster.len()))?;
    for &id in roster.ids() {
        match branches.iter().find(|branch| branch.id == id) {
            Some(branch) => write_branch(out, branch)?,
            None => writeln!(out, "  branch {id}  has no file here")?,
        }
    }
    writeln!(out)?;
    for flaw in flaws {
        writeln!(out, "  ✗ {flaw}")?;
    }
    if flaws.is_empty() {
        writeln!(
            out,
            "  ✓ every file is whole, every log is in order, and branches that have heard of the same \
             hold the same"
        )?;
    }
    for branch in branches {
        for Lag { origin, needed, here, .. } in &branch.lacks {
            let missing = count(needed.get() - here.get(), "write");
            writeln!(
                out,
                "  ? branch {} lacks {missing} of branch {origin}, and asks for them when it starts",
                branch.id,
            )?;
        }
    }
    Ok(())
}

fn branches_in_words(number: usize) -> String {
    if number == 1 { "1 branch".to_owned() } else { format!("{number} branches") }
}

fn write_branch(out: &mut dyn Write, branch: &AuditedBranch) -> io::Result<()> {
    let AuditedBranch { id, life, writes, refused, balance, .. } = branch;
    let balance = balance.map_or_else(|| "out of range".to_owned(), |balance| balance.to_string());
    let writes = count(writes.get(), "write");
    write!(out, "  branch {id}  {writes}, balance {balance}, life {life}")?;
    if *refused > 0 {
        write!(out, ", {} remembered", count(refused, "refusal"))?;
    }
    writeln!(out)
}

/// Writes `audit` as one line of JSON.
pub(crate) fn write_json(out: &mut dyn Write, audit: &Audit) -> io::Result<()> {
    let branch = |branch: &AuditedBranch| {
        let AuditedBranch { id, life, writes, refused, balance, lacks, .. } = branch;
        json!({
            "branch": id,
            "writes": writes,
            "balance": balance.map(Money::decimal),
            "life": life,
            "refused": refused,
            "lacks": lacks,
        })
    };
    let line = json!({
        "format": FORMAT,
        "bank": audit.bank,
        "opening_balance": audit.opening_balance.decimal(),
        "roster": audit.roster.ids(),
        "branches": audit.branches.iter().map(branch).collect::<Vec<_>>(),
        "flaws": audit.flaws,
    });
    writeln!(out, "{line}")
}
