//! No two files of `src` import each other in a circle. A name leads to the file that defines it,
//! through the `mod.rs` that export it again. What only tests see does not count.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::rules::module_of;
use crate::source::SourceFile;

/// Each circle as one finding: its files in order, each with the line that imports the next.
pub(crate) fn find(files: &[SourceFile]) -> Vec<String> {
    let modules = Modules::new(files);
    let imports = modules.imports();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut findings = Vec::new();
    for start in imports.keys() {
        if known.contains(start) {
            continue;
        }
        let from_start = reach(&imports, start);
        if !from_start.contains_key(start) {
            continue;
        }
        known.extend(from_start.keys().filter(|end| reach(&imports, end).contains_key(start)));
        findings.push(describe(&imports, start, &from_start));
    }
    findings
}

/// The line of a file that imports another, by both.
type Imports<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

/// What `start` reaches by at least one import, each with the file before it on a shortest way.
fn reach<'a>(imports: &Imports<'a>, start: &'a str) -> BTreeMap<&'a str, &'a str> {
    let mut before = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        for next in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if !before.contains_key(next) {
                before.insert(*next, file);
                open.push_back(next);
            }
        }
    }
    before
}

fn describe(imports: &Imports<'_>, start: &str, before: &BTreeMap<&str, &str>) -> String {
    let mut steps = Vec::new();
    let mut end = start;
    loop {
        let file = before[end];
        steps.push(format!("  {file}:{}: imports {end}", imports[file][end]));
        end = file;
        if end == start {
            break;
        }
    }
    steps.push("a circle of imports; move what they share into a file below them:".to_owned());
    steps.reverse();
    steps.join("\n")
}

/// The files by the modules that they are.
struct Modules<'a> {
    modules: BTreeMap<Vec<String>, Module<'a>>,
}

struct Module<'a> {
    path: &'a str,
    code: SourceFile,
    /// The names that its `use` bring in, with what stands there.
    uses: BTreeMap<String, Vec<String>>,
}

impl<'a> Modules<'a> {
    fn new(files: &'a [SourceFile]) -> Self {
        let in_crate = files.iter().filter(|file| file.path != "src/main.rs");
        let mut modules: BTreeMap<_, _> =
            in_crate.map(|file| (module_of(&file.path), Module::new(file))).collect();
        let seen: BTreeSet<_> =
            modules.keys().filter(|m| is_declared(&modules, m)).cloned().collect();
        modules.retain(|module, _| seen.contains(module));
        Self { modules }
    }

    fn imports(&self) -> Imports<'_> {
        let mut imports = Imports::new();
        for (module, Module { path, code, uses }) in &self.modules {
            if path.ends_with("/mod.rs") || path.ends_with("/lib.rs") {
                continue;
            }
            let mut roots = vec!["crate", "self", "super"];
            roots.extend(uses.keys().map(String::as_str));
            for found in code.paths_from(&roots) {
                let place: Vec<String> = module.iter().chain(&found.inside).cloned().collect();
                if let Some(target) = self.file_of(&place, &found.segments)
                    && target != *path
                {
                    imports.entry(path).or_default().entry(target).or_insert(found.line);
                }
            }
        }
        imports
    }

    /// The file that defines what `segments` lead to from `module`; `None` outside the crate.
    fn file_of(&self, module: &[String], segments: &[String]) -> Option<&str> {
        let mut place = module.to_vec();
        for (index, segment) in segments.iter().enumerate() {
            match segment.as_str() {
                "crate" => place.clear(),
                "self" => {}
                "super" => {
                    place.pop();
                }
                name => {
                    place.push(name.to_owned());
                    if self.modules.contains_key(&place) {
                        continue;
                    }
                    place.pop();
                    let here = self.modules.get(&place)?;
                    let Some(target) = here.uses.get(name) else {
                        return (index > 0).then_some(here.path);
                    };
                    if target.first() == segments.get(index) {
                        return (target.len() == 1).then_some(here.path);
                    }
                    let onward = [target, &segments[index + 1..]].concat();
                    return self.file_of(&place, &onward);
                }
            }
        }
        Some(self.modules.get(&place)?.path)
    }
}

impl<'a> Module<'a> {
    fn new(file: &'a SourceFile) -> Self {
        let code = file.without_tests();
        let uses = code
            .uses()
            .into_iter()
            .filter_map(|segments| {
                let name = segments.iter().rfind(|segment| *segment != "self")?;
                Some((name.clone(), segments))
            })
            .collect();
        Self { path: &file.path, code, uses }
    }
}

fn is_declared(modules: &BTreeMap<Vec<String>, Module<'_>>, module: &[String]) -> bool {
    let Some((name, parent)) = module.split_last() else { return true };
    let Some(parent) = modules.get(parent) else { return false };
    parent.code.tokens.windows(2).any(|pair| pair[0].is_word("mod") && pair[1].is_word(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: (&str, &str) = ("src/lib.rs", "pub mod bank;\npub mod model;");
    const BANK: (&str, &str) = (
        "src/bank/mod.rs",
        "mod a;\nmod b;\nmod c;\n#[cfg(test)]\nmod shop;\npub use a::A;\npub use b::B;\npub use c::C;",
    );

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let parsed: Vec<_> = [&[ROOT, BANK], files]
            .concat()
            .iter()
            .map(|(path, text)| SourceFile::new(path, text))
            .collect();
        find(&parsed)
    }

    #[test]
    fn a_circle_is_told_file_by_file() {
        let found = circles(&[
            ("src/model/mod.rs", "mod id;\npub use id::Id;"),
            ("src/model/id.rs", "pub struct Id;"),
            ("src/bank/a.rs", "use std::fmt;\nuse crate::bank::{self, b::B};\npub struct A(B);"),
            ("src/bank/b.rs", "use super::C;\npub struct B(C);"),
            ("src/bank/c.rs", "use crate::model::Id;\npub struct C(Id, super::A);"),
        ]);
        assert_eq!(
            found,
            ["a circle of imports; move what they share into a file below them:\n  \
              src/bank/a.rs:2: imports src/bank/b.rs\n  \
              src/bank/b.rs:1: imports src/bank/c.rs\n  \
              src/bank/c.rs:2: imports src/bank/a.rs"]
        );
    }

    #[test]
    fn a_module_that_is_imported_leads_to_what_is_taken_from_it() {
        let found = circles(&[
            ("src/bank/a.rs", "use crate::bank;\nfn f() { bank::C::new(); }"),
            ("src/bank/b.rs", ""),
            ("src/bank/c.rs", "use super::a;\nimpl C { fn new() { a::f(); } }"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("src/bank/a.rs:2: imports src/bank/c.rs"), "{}", found[0]);
    }

    #[test]
    fn two_circles_are_two_findings() {
        let found = circles(&[
            ("src/model/mod.rs", "mod id;\nmod money;"),
            ("src/model/id.rs", "use super::money::Money;"),
            ("src/model/money.rs", "use super::id::Id;"),
            ("src/bank/a.rs", "use super::C;"),
            ("src/bank/b.rs", "use super::{A, C};"),
            ("src/bank/c.rs", "use super::A;"),
        ]);
        assert_eq!(found.len(), 2);
        assert!(
            found[0].contains("a.rs") && found[0].contains("c.rs") && !found[0].contains("b.rs")
        );
    }

    #[test]
    fn what_only_tests_import_is_no_circle() {
        let found = circles(&[
            ("src/model/mod.rs", ""),
            ("src/bank/a.rs", "use super::C;\npub struct A;"),
            ("src/bank/b.rs", "macro_rules! m { () => {} }\npub(crate) use m;\nuse super::A;"),
            (
                "src/bank/c.rs",
                "#[cfg(test)]\nuse super::A;\npub struct C;\n\
                 #[cfg(test)]\nfn f(a: [u8; 3]) -> A { super::A }\n\
                 #[cfg(test)]\nmod tests { use super::super::{A, shop}; }",
            ),
            ("src/bank/shop.rs", "use super::{A, C};"),
        ]);
        assert_eq!(found, [""; 0]);
    }
}
