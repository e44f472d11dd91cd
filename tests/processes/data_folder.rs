//! What stands in the folder of a bank: a file that is damaged is refused, and no two have the same.

use std::fs;
use std::process::Command;

use passbook::model::{BranchId, LogPosition, Money, Random, Roster, Seed};
use passbook::storage::{About, DataFolder, FolderError, KeptBranch, OpenError};
use tempfile::TempDir;

use crate::durable::{args, files, refused};
use crate::process::{Process, one, passbook, typed, with_clients};

#[test]
fn a_secret_that_is_gone_is_not_made_anew() {
    let folder = TempDir::new().unwrap();
    let open = args(folder.path(), &[]);
    assert!(Process::serve(&open, 2).close("TERM").status.success());
    fs::remove_file(folder.path().join("bank.secret")).unwrap();
    let told = refused(&open);
    assert!(told.contains("no bank.secret in") && told.contains("put it back"), "{told}");
    assert!(!folder.path().join("bank.secret").exists());
}

#[test]
fn who_is_told_that_a_kept_secret_is_damaged_is_not_told_to_make_another() {
    let folder = TempDir::new().unwrap();
    let open = args(folder.path(), &[]);
    assert!(Process::serve(&open, 2).close("TERM").status.success());
    let secret = folder.path().join("bank.secret");
    let before = fs::read(&secret).unwrap();
    for (content, wrong) in [
        (&b""[..], "it is empty; "),
        (b"hunter2\n", "line 1 is not 64 hexadecimal digits; "),
        (b"version 2\n", "use the passbook that made it; "),
        (&[0xff; 64], "it is not text; "),
    ] {
        fs::write(&secret, content).unwrap();
        let told = refused(&open);
        assert!(told.contains("bank.secret holds "), "{told}");
        assert!(
            told.contains(&format!("{wrong}it seals the passbooks of the bank there")),
            "{told}"
        );
        assert!(told.contains("put it back as it was"), "{told}");
        assert!(!told.contains("passbook secret") && !told.contains("hunter2"), "{told}");
    }
    fs::write(&secret, before).unwrap();
    assert!(Process::serve(&open, 2).close("TERM").status.success());
}

#[test]
fn of_a_damaged_file_nothing_wrong_is_ever_read() {
    let folder = TempDir::new().unwrap();
    let bank = Process::serve(&args(folder.path(), &["--branches=1"]), 1);
    with_clients(async {
        for event in 1..=100 {
            typed(bank.channel()).deposit(one(1, 1, Some(event))).await.unwrap();
        }
    });
    assert!(bank.close("TERM").status.success());
    let file = folder.path().join("branch-1.redb");
    let whole = fs::read(&file).unwrap();
    let check = ["check", "--format=json", &format!("--data={}", folder.path().display())];
    let check = || passbook(&check.map(str::to_owned)).output().unwrap();
    let sound = check();
    assert_eq!(sound.status.code(), Some(0));
    let mut chance = Random::of_part(Seed(7), 0);
    let mut below =
        |end: usize| usize::try_from(chance.below(u64::try_from(end).unwrap())).unwrap();
    let mut refusals = 0;
    for round in 0..150 {
        let (mut damaged, at) = (whole.clone(), below(whole.len()));
        match round % 3 {
            0 => damaged[at] ^= 1 << below(8),
            1 => damaged[at..].iter_mut().take(64).for_each(|byte| *byte = 0),
            _ => damaged.truncate(at),
        }
        fs::write(&file, &damaged).unwrap();
        let output = check();
        let told = String::from_utf8(output.stderr).unwrap();
        if output.status.code() == Some(0) {
            assert_eq!(output.stdout, sound.stdout, "round {round}, at {at}");
        } else {
            refusals += 1;
            assert_eq!(output.status.code(), Some(2), "round {round}, at {at}: {told}");
            assert_eq!(told.lines().count(), 1, "{told}");
            assert!(told.contains("branch-1.redb: it is damaged"), "{told}");
        }
    }
    assert!(refusals > 40, "{refusals}");
}

/// That `kept` is the branch of `about` alone, as it has never begun.
#[track_caller]
fn assert_new(kept: &[KeptBranch], about: &About) {
    let [one] = kept else { panic!("{kept:?}") };
    assert_eq!((one.branch, &one.about), (about.branch, about));
    assert!(one.memory.is_none(), "{one:?}");
    assert_eq!(one.writes(), LogPosition::new(0));
}

#[test]
fn of_two_that_make_a_file_at_the_same_time_in_one_process_one_has_it() {
    let branch = BranchId::new(1).unwrap();
    let roster = Roster::new([branch]).unwrap();
    let about = About { bank: "a".to_owned(), branch, roster, opening_balance: Money::ZERO };
    for _ in 0..20 {
        let folder = TempDir::new().unwrap();
        let open = || DataFolder::at(folder.path()).unwrap().open_all(std::slice::from_ref(&about));
        let opened = std::thread::scope(|scope| {
            [scope.spawn(open), scope.spawn(open)].map(|one| one.join().unwrap())
        });
        let (had, refused): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
        assert_eq!((had.len(), refused.len()), (1, 1), "{refused:?}");
        for refusal in refused.into_iter().filter_map(Result::err) {
            let FolderError::Open { path, reason } = refusal else { panic!("{refusal}") };
            assert!(matches!(*reason, OpenError::Busy), "{reason}");
            assert_eq!(path, folder.path().join("branch-1.redb"));
        }
        for kept in had {
            assert_new(&kept.unwrap(), &about);
        }
        assert_new(&open().unwrap(), &about);
        assert_eq!(files(folder.path()).len(), 1);
    }
}

#[test]
fn a_file_that_is_damaged_is_refused() {
    let folder = TempDir::new().unwrap();
    let open = args(folder.path(), &[]);
    assert!(Process::serve(&open, 2).close("TERM").status.success());
    let file = folder.path().join("branch-2.redb");
    fs::write(&file, "no file of a branch").unwrap();
    let told = refused(&open);
    assert!(told.contains("cannot use") && told.contains("branch-2.redb"), "{told}");
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    let told = refused(&open);
    assert!(told.contains("branch-2.redb: it is damaged: it is no file"), "{told}");
}
