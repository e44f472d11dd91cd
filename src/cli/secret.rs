//! `passbook secret`: makes the secret of a bank. And the file with it, as `serve` reads it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use thiserror::Error;

use super::exit::{Exit, Failure};
use super::exit_codes::ExitCodes;
use super::terminal::Terminal;
use crate::grpc::seal::{BankSecret, NoRandomness, SecretError};
use crate::model::UnknownVersion;

const SECRET_EXAMPLES: &str = "\
Examples:
  passbook secret bank.secret
  passbook serve --branch 1 --peer 2=http://10.0.0.2:50052 --listen 0.0.0.0 --bank-secret bank.secret";

/// Far more than two lines take.
const FILE_BYTES_MAX: u64 = 4096;

#[derive(Debug, Args)]
#[command(after_help = format!("{SECRET_EXAMPLES}\n\n{}", ExitCodes::SECRET))]
pub(super) struct SecretArgs {
    /// Where it is written; a file that is there already is left as it is
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Why a file with a secret was not made, or cannot be used.
#[derive(Debug, Error)]
pub(super) enum SecretFileError {
    #[error("{path} exists already, and is left as it is; name another file")]
    Exists { path: PathBuf },
    #[error("cannot write {path}: {reason}")]
    Write { path: PathBuf, reason: io::Error },
    #[error("cannot read the bank's secret in {path}: {reason}")]
    Read { path: PathBuf, reason: io::Error },
    #[error("{path} holds no secret of a bank: it is not text")]
    NoText { path: PathBuf },
    #[error("{path} holds {unknown}")]
    OtherVersion { path: PathBuf, unknown: UnknownVersion },
    #[error("{path} holds no secret of a bank: {reason}")]
    NoSecret { path: PathBuf, reason: SecretError },
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Writes a new secret.
pub(super) fn make_secret(args: &SecretArgs) -> Result<Exit, Failure> {
    written(&args.file)?;
    Ok(Exit::Holds)
}

fn written(path: &Path) -> Result<(), SecretFileError> {
    let line = BankSecret::random()?.line();
    let path_buf = || path.to_owned();
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|reason| {
        if reason.kind() == io::ErrorKind::AlreadyExists {
            SecretFileError::Exists { path: path_buf() }
        } else {
            SecretFileError::Write { path: path_buf(), reason }
        }
    })?;
    let kept = writeln!(file, "{line}").and_then(|()| file.sync_all());
    kept.map_err(|reason| SecretFileError::Write { path: path_buf(), reason })
}

/// The secret in the file at `path`. Warns where others could have read it too.
pub(super) fn read_secret(
    path: &Path,
    terminal: &mut Terminal,
) -> Result<BankSecret, SecretFileError> {
    let path_buf = || path.to_owned();
    let read = || {
        let file = File::open(path)?;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok((mode, bytes))
    };
    let (mode, bytes) =
        read().map_err(|reason| SecretFileError::Read { path: path_buf(), reason })?;
    let text =
        String::from_utf8(bytes).map_err(|_| SecretFileError::NoText { path: path_buf() })?;
    let secret = BankSecret::read(&text).map_err(|reason| match reason {
        SecretError::OtherVersion(unknown) => {
            SecretFileError::OtherVersion { path: path_buf(), unknown }
        }
        SecretError::Empty | SecretError::Line { .. } | SecretError::TooMany { .. } => {
            SecretFileError::NoSecret { path: path_buf(), reason }
        }
    })?;
    if mode & 0o044 != 0 {
        terminal.warning(&format!(
            "others can read the bank's secret: the mode of {} is {mode:o}; chmod 600 it",
            path.display()
        ));
    }
    Ok(secret)
}

impl From<SecretFileError> for Failure {
    fn from(error: SecretFileError) -> Self {
        match error {
            SecretFileError::Exists { .. }
            | SecretFileError::Write { .. }
            | SecretFileError::Read { .. }
            | SecretFileError::NoText { .. }
            | SecretFileError::OtherVersion { .. }
            | SecretFileError::NoSecret { .. } => Self::bad_input(error),
            SecretFileError::NoRandomness(_) => Self::internal(error),
        }
    }
}
