//! The fenced blocks of a document.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Console,
    Interop,
    Unnamed,
    Other,
}

#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) kind: Kind,
    /// Its line, from 1.
    pub(crate) line: usize,
    /// What `passbook serve` is given for it.
    pub(crate) served: Option<String>,
    pub(crate) steps: Vec<Step>,
    /// What it holds, where it is no session.
    pub(crate) text: String,
}

impl Block {
    /// The file that the document has its reader write: `# client.py` is the first line.
    pub(crate) fn file(&self) -> Option<&str> {
        let name = self.text.lines().next()?.strip_prefix("# ")?;
        name.ends_with(".py").then_some(name)
    }
}

/// A command and what comes of it.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) command: String,
    pub(crate) code: i32,
    pub(crate) prints: String,
    /// The lines of the document, from 0, that hold the code and what is printed.
    pub(crate) output: Range<usize>,
}

pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut served, mut open) = (None, false);
    for (at, line) in text.lines().enumerate() {
        if let Some(word) = line.trim_start().strip_prefix("```") {
            open = !open;
            if open {
                let kind = match word.trim() {
                    "console" => Kind::Console,
                    "console interop" => Kind::Interop,
                    "" => Kind::Unnamed,
                    _ => Kind::Other,
                };
                let line = at + 1;
                let is_session = matches!(kind, Kind::Console | Kind::Interop);
                let served = if is_session { served.take() } else { None };
                blocks.push(Block { kind, line, served, steps: Vec::new(), text: String::new() });
            }
            continue;
        }
        if !open {
            let comment = line.strip_prefix("<!-- passbook serve");
            if let Some(arguments) = comment.and_then(|rest| rest.strip_suffix("-->")) {
                served = Some(arguments.trim().to_owned());
            }
            continue;
        }
        match blocks.last_mut() {
            Some(Block { kind: Kind::Console | Kind::Interop, steps, .. }) => read(steps, at, line),
            Some(Block { text, .. }) => text.extend([line, "\n"]),
            None => {}
        }
    }
    blocks
}

fn read(steps: &mut Vec<Step>, at: usize, line: &str) {
    if let Some(command) = line.strip_prefix("$ ") {
        let (command, prints) = (command.to_owned(), String::new());
        steps.push(Step { line: at + 1, command, code: 0, prints, output: at + 1..at + 1 });
        return;
    }
    let step = steps.last_mut().unwrap_or_else(|| panic!("line {}: begin with a command", at + 1));
    if let Some(more) = line.strip_prefix("> ")
        && step.output.is_empty()
    {
        step.command = format!("{}\n{more}", step.command);
        step.output = at + 1..at + 1;
        return;
    }
    let code = line.strip_prefix("? ").filter(|_| step.output.is_empty());
    match code.and_then(|code| code.parse().ok()) {
        Some(code) => step.code = code,
        None => {
            step.prints.push_str(line);
            step.prints.push('\n');
        }
    }
    step.output.end = at + 1;
}
