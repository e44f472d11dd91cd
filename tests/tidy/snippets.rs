//! Small bad files: a rule that cannot fail checks nothing.

use crate::rules::{check_file, unused_inputs};
use crate::source::SourceFile;

/// The findings in a file at `path` whose text, after a purpose, is `body`.
fn findings(path: &str, body: &str) -> Vec<String> {
    check_file(&SourceFile::new(path, &format!("//! A purpose.\n{body}")))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[track_caller]
fn one(path: &str, body: &str, expected: &str) {
    let found = findings(path, body);
    assert_eq!(found.len(), 1, "{path}: {body}: {found:?}");
    assert!(found[0].starts_with(expected), "{path}: {body}: {found:?}");
}

#[track_caller]
fn none(path: &str, body: &str) {
    assert_eq!(findings(path, body), [""; 0], "{path}: {body}");
}

#[test]
fn a_layer_imports_only_what_the_table_lets_it() {
    let refused = "src/bank/branch.rs:2: bank imports actors; it may import model";
    for body in [
        "use crate::actors::BranchActor;",
        "use crate::{actors, model::Money};",
        "use crate::{model::{self, Money}, actors::*};",
        "fn f() { crate::actors::start(); }",
        "use super::super::actors::X;",
        "mod tests { use super::super::super::actors::X; }",
        "pub(in crate::actors) fn f() {}",
        "macro_rules! m { () => { $crate::actors::X } }",
    ] {
        one("src/bank/branch.rs", body, refused);
    }
    one("src/bank/mod.rs", "use super::actors::X;", "src/bank/mod.rs:2: bank imports actors");
    one("src/check/ryw.rs", "use crate::bank::B;", "src/check/ryw.rs:2: check imports bank");
    one("src/main.rs", "use passbook::run;", "src/main.rs:2: main imports run; it may");
    one("src/model/id.rs", "use crate::bank::X;", "src/model/id.rs:2: model imports bank; it may");
}

#[test]
fn branches_are_made_in_one_file() {
    let body = "fn f() { Branch::new(id, roster, balance, config); }";
    one("src/cli/serve.rs", body, "src/cli/serve.rs:2: makes a branch of its own");
    none("src/run/bank.rs", body);
    none("src/bank/branch.rs", body);
    none("src/cli/serve.rs", "fn f() { Branch::default(); TestBranch::new(); }");
}

#[test]
fn conversions_stand_in_one_file() {
    for to in ["usize", "f64"] {
        let body = format!("fn f(x: u64) -> {to} {{ x as {to} }}");
        one(
            "src/check/ryw.rs",
            &body,
            &format!("src/check/ryw.rs:2: `as {to}` may lose something"),
        );
        none("src/model/number.rs", &body);
    }
    none(
        "src/check/ryw.rs",
        "use crate::model::Money as M; use std::fmt::Write as _; fn f() { <M as Default>::default() }",
    );
}

#[test]
fn what_the_table_lets_through_is_no_finding() {
    for body in [
        "use crate::model::{Money, BranchId};",
        "use crate::bank::log::Log;",
        "use super::log::Log; use super::super::bank::X; use self::inner::X;",
        "mod tests { use super::super::log::Log; use super::*; }",
        "/// See [`crate::actors::Branch`].\npub(crate) fn f(&self) -> super::X { \"crate::cli\" }",
        "// use crate::actors::X;",
    ] {
        none("src/bank/branch.rs", body);
    }
    none("src/cli/run.rs", "use crate::{run, report};");
    none("src/main.rs", "fn main() { passbook::cli::run() }");
}

#[test]
fn the_crate_root_is_nobodys_to_import_whole() {
    for body in ["use crate::*;", "use crate::{self};", "use super::super::*;"] {
        one("src/bank/branch.rs", body, "src/bank/branch.rs:2: a path to the whole crate");
    }
}

#[test]
fn a_module_that_the_design_does_not_have_is_found() {
    one("src/socket/tcp.rs", "", "src/socket/tcp.rs:1: `socket` is no layer of the design");
    one("src/socket.rs", "", "src/socket.rs:1: `socket` is no layer of the design");
}

#[test]
fn a_pure_layer_knows_no_runtime_and_no_outside_world() {
    for path in ["src/model/a.rs", "src/network/a.rs", "src/history/a.rs", "src/scenario/a.rs"] {
        for (body, expected) in [
            ("use actix::Actor;", "`actix` in a pure layer"),
            ("use actix_rt::System;", "`actix_rt` in a pure layer"),
            ("async fn f() { tokio::spawn(g()) }", "`tokio` in a pure layer"),
            ("use tonic_prost as wire;", "`tonic_prost` in a pure layer"),
            ("use std::fs;", "`std::fs` in a pure layer"),
            ("use std::{fmt, fs::File};", "`std::fs` in a pure layer"),
            ("fn f() { ::std::net::g(); }", "`std::net` in a pure layer"),
            ("use ::std::net;", "`std::net` in a pure layer"),
            ("use std::{io, thread};", "`std::thread` in a pure layer"),
        ] {
            one(path, body, &format!("{path}:2: {expected}"));
            none("src/run/a.rs", body);
        }
    }
    none(
        "src/bank/a.rs",
        "use std::{fmt, io};\n// tokio stays outside\nconst A: &str = \"actix\";",
    );
}

#[test]
fn only_what_prints_prints() {
    for body in ["fn f() { println!(\"\"); }", "fn f() { eprint!(\"\"); }"] {
        for path in ["src/bank/a.rs", "src/run/a.rs"] {
            one(path, body, &format!("{path}:2: `"));
        }
        none("src/report/a.rs", body);
        none("src/cli/a.rs", body);
        none("tests/a.rs", body);
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for text in ["", "use std::fmt;", "// A comment.", "//!\n", "\n//! Late."] {
        let found = check_file(&SourceFile::new("tests/a.rs", text));
        assert_eq!(found.len(), 1, "{text}");
        assert!(found[0].to_string().starts_with("tests/a.rs:1: no `//!`"), "{text}");
    }
}

#[test]
fn a_long_file_is_found() {
    none("benches/a.rs", &"\n".repeat(499));
    one("benches/a.rs", &"\n".repeat(500), "benches/a.rs:501: 501 lines; split it");
}

#[test]
fn unfinished_work_is_found_in_comments_only() {
    for mark in ["FIXME", "TODO", "XXX"] {
        one("build.rs", &format!("/* a\n {mark}: b */"), &format!("build.rs:3: `{mark}`"));
        one("build.rs", &format!("/// a ({mark})"), &format!("build.rs:2: `{mark}`"));
        none("build.rs", &format!("const A: &str = \"{mark}\"; // {mark}ING"));
    }
}

#[test]
fn an_ignored_test_is_found() {
    for body in ["#[ignore]", "#[ignore = \"slow\"]", "#[cfg_attr(a, ignore)]", "#![ignore]"] {
        one("tests/a.rs", body, "tests/a.rs:2: an ignored test");
    }
    none("tests/a.rs", "// #[ignore]\nfn f() { let ignore = [1]; ignore[0]; }");
}

#[test]
fn a_module_that_names_no_concept_is_found() {
    one("tests/common/mod.rs", "", "tests/common/mod.rs:1: `common` names no concept");
    one("src/bank/utils.rs", "", "src/bank/utils.rs:1: `utils` names no concept");
    one("src/bank/a.rs", "mod imp { }", "src/bank/a.rs:2: `imp` names no concept");
    none("src/bank/commons.rs", "fn helpers() {}");
}

#[test]
fn a_mod_file_holds_declarations_only() {
    for item in ["fn f() {}", "struct A;", "enum A {}", "impl A {}", "trait A {}"] {
        one("src/bank/mod.rs", item, "src/bank/mod.rs:2: `");
        one("src/lib.rs", item, "src/lib.rs:2: `");
        none("src/bank/a.rs", item);
    }
    none("src/bank/mod.rs", "mod a;\npub use a::{B, C};");
}

#[test]
fn an_input_that_no_test_names_is_found() {
    let tests = [SourceFile::new("tests/a.rs", "run(\"input/one.json\"); for x in [\"two\"] {}")];
    let input = |name: &str| format!("input/{name}");
    let found = unused_inputs(
        &[
            input("one.json"),
            input("one.expected.json"),
            input("deep/two.json"),
            input("tw.json"),
            input("three.expected.json"),
        ],
        &tests,
    );
    assert_eq!(
        found,
        [
            "input/tw.json:1: no test names it; use it in one, or remove it",
            "input/three.expected.json:1: no test names it; use it in one, or remove it",
        ]
    );
}
