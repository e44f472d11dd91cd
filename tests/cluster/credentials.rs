//! A server that knows accounts by their keys lets in whom an account vouches for, and nobody else.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::program::{Process, assert_same, done, passbook, timeless};
use crate::server::Server;

/// What `signer` says of `subject`, as `nsc` writes it.
fn token(signer: &KeyPair, subject: &KeyPair, nats: &Value) -> String {
    let claims = json!({
        "jti": "1",
        "iat": 1_700_000_000,
        "iss": signer.public_key(),
        "sub": subject.public_key(),
        "name": "test",
        "nats": nats,
    });
    let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = signer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A server that knows `account`, and beside it the one of its own that it needs for JetStream.
fn server_of(account: &KeyPair) -> Server {
    let (operator, system) = (KeyPair::new_operator(), KeyPair::new_account());
    let limits = json!({
        "subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1,
        "wildcards": true,
    });
    let mut with_store = limits.clone();
    for of_store in ["mem_storage", "disk_storage", "streams", "consumer"] {
        with_store[of_store] = json!(-1);
    }
    let of_operator = token(&operator, &operator, &json!({ "type": "operator", "version": 2 }));
    let [account, system] = [(account, with_store), (&system, limits)].map(|(of, limits)| {
        let rights = json!({ "limits": limits, "type": "account", "version": 2 });
        (of.public_key(), token(&operator, of, &rights))
    });
    let config = format!(
        "operator: \"{of_operator}\"\nresolver: MEMORY\nsystem_account: {}\n\
         resolver_preload: {{ {}: \"{}\", {}: \"{}\" }}",
        system.0, system.0, system.1, account.0, account.1
    );
    Server::with(&config, &[])
}

/// Writes the credentials of a new user of `account` to `path`, and returns the seed in them.
fn credentials(account: &KeyPair, path: &Path) -> String {
    let user = KeyPair::new_user();
    let rights = json!({
        "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2,
    });
    let (token, seed) = (token(account, &user, &rights), user.seed().unwrap());
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    fs::write(path, text).unwrap();
    seed
}

#[test]
fn a_file_of_credentials_lets_in_users_of_an_account_that_the_server_knows() {
    const BATCH: [&str; 5] = ["batch", "--format", "json", "--generate", "--count 200 --seed 3"];
    let account = KeyPair::new_account();
    let server = server_of(&account);
    let url = server.url();
    let file = |name: &str| server.folder.path().join(name);
    let (known, foreign) = (file("known.creds"), file("foreign.creds"));
    let secrets = [credentials(&account, &known), credentials(&KeyPair::new_account(), &foreign)];
    let command = |args: &[&str], who: &Path| {
        let mut command = passbook(args);
        command.args(["--nats", &url]).arg("--nats-creds").arg(who);
        command
    };
    // Whatever is logged, no part of a seed is.
    let assert_no_seed = |said: &str| {
        assert!(!secrets.iter().any(|seed| said.contains(&seed[4..20])), "{said}");
    };
    let worker = Process::start({
        let mut command = command(&["worker", "--threads", "1"], &known);
        command.env("PASSBOOK_LOG", "trace");
        command
    });
    let elsewhere = done(command(&BATCH, &known));
    assert_eq!(elsewhere.code, 0, "{}", elsewhere.stderr);
    assert_same(&timeless(&done(passbook(&BATCH)).stdout), &timeless(&elsewhere.stdout));
    worker.terminate();
    let ended = worker.end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_no_seed(&ended.stderr);
    for args in [&BATCH[..], &["worker"]] {
        let refused = done(command(args, &foreign));
        assert_eq!((refused.code, refused.stderr.lines().count()), (2, 1), "{}", refused.stderr);
        assert!(refused.stderr.contains("refuses the connection"), "{}", refused.stderr);
        assert_no_seed(&refused.stderr);
        let mut traced = command(args, &foreign);
        traced.env("PASSBOOK_LOG", "trace");
        let traced = done(traced);
        assert_eq!(traced.code, 2, "{}", traced.stderr);
        assert_no_seed(&traced.stderr);
    }
}
