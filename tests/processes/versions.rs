//! Peers and secrets of other versions, over sockets.

use std::path::Path;

use passbook::grpc::proto::v1;
use passbook::grpc::proto::v1::peer_service_client::PeerServiceClient;
use tonic::{Code, Status};

use crate::fakes;
use crate::peers::{alone, challenged, challenged_in, reason};
use crate::process::{Process, with_clients};

/// A secret of version 1.
fn secret() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/secret-1.txt"))
}

/// Branch 1, whose peer is away.
fn without_peer() -> Process {
    alone(secret(), "http://127.0.0.1:9")
}

#[track_caller]
fn assert_other_version(status: &Status, told: &str) {
    assert_eq!(
        (status.code(), reason(status).as_str(), status.message()),
        (Code::FailedPrecondition, "OTHER_VERSION", told)
    );
}

#[test]
fn a_peer_of_another_version_is_refused_in_one_line_at_both_ends() {
    let process = without_peer();
    with_clients(async {
        // One that says none is of the first that had anything to prove, which knew of no lives.
        for (said, version) in [(None, 1), (Some(1), 1), (Some(3), 3), (Some(u32::MAX), u32::MAX)] {
            let status = challenged_in(said, process.channel()).await.unwrap_err();
            let told = format!(
                "branch 1 is called by a peer of version {version}, and this passbook takes \
                 version 2; run all branches with one version of passbook"
            );
            assert_other_version(&status, &told);
        }
        let answer = challenged_in(Some(2), process.channel()).await.unwrap();
        assert_eq!((answer.branch_id, answer.version), (1, Some(2)));
    });
    let log = process.close("TERM").log;
    let told = "branch 2 calls branch 1, and is a peer of version 1, and this passbook takes \
                version 2; run all branches with one version of passbook\n";
    assert!(log.contains(told), "{log}");
    assert_eq!(log.matches("a peer of version").count(), 1, "told once: {log}");
}

#[test]
fn a_peer_that_has_nothing_to_prove_is_refused_by_its_version() {
    let process = without_peer();
    with_clients(async {
        let request = v1::IntroduceRequest { branch_id: 2, ..Default::default() };
        let answer = PeerServiceClient::new(process.channel()).introduce(request).await;
        let told = "branch 1 is called by a peer of version 0, and this passbook takes version 2; \
                    run all branches with one version of passbook";
        assert_other_version(&answer.unwrap_err(), told);
        challenged(process.channel()).await.unwrap();
    });
    assert!(
        process.close("TERM").log.contains("branch 2 calls branch 1, and is a peer of version 0")
    );
}

#[test]
fn a_branch_does_not_go_on_with_a_peer_of_another_version() {
    for (said, version) in [(Some(3), 3), (Some(1), 1), (None, 0)] {
        let process = alone(secret(), &fakes::peer(said));
        let log = process.log_until("a peer of version");
        let told = format!(
            "branch 1 cannot reach branch 2, tries again: it is a peer of version {version}, and \
             this passbook takes version 2; run all branches with one version of passbook"
        );
        assert!(log.contains(&told), "{log}");
    }
}
