//! What ever failed in a simulation, as the small scenario that was left of it. Each was found by
//! `passbook simulate` before the bank was mended, and must hold for ever.

use std::fs;
use std::path::Path;

use passbook::check::Overall;
use passbook::run::{RunOptions, run};
use passbook::scenario::{Scenario, Source};

#[test]
fn what_ever_failed_holds_now() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/found"));
    let mut found = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let source = Source::new(path.display().to_string(), text);
        let scenario = Scenario::parse(&source).unwrap();
        let ran = run(&scenario, &RunOptions::default()).unwrap().result;
        let verdicts = ran.verdicts.expect("it is judged");
        for (property, verdict) in verdicts.iter() {
            assert_ne!(verdict.summary(), Overall::Violated, "{}: {property:?}", path.display());
        }
        let weather = ran.weather.expect("things go wrong");
        assert!(weather.has_settled, "{}", path.display());
        assert_eq!(weather.idle, [], "{}: it is what it was", path.display());
        found += 1;
    }
    assert!(found > 0);
}
