//! `passbook secret`: makes the secret of a bank. And the file with it, as `serve` reads it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use tempfile::NamedTempFile;
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

impl SecretFileError {
    /// Whether the file is there, and what it holds is no secret of a bank.
    pub(super) const fn is_of_what_it_holds(&self) -> bool {
        match self {
            Self::NoText { .. } | Self::OtherVersion { .. } | Self::NoSecret { .. } => true,
            Self::Exists { .. }
            | Self::Write { .. }
            | Self::Read { .. }
            | Self::NoRandomness(_) => false,
        }
    }

    /// What is to be said beside it where another secret does as well.
    pub(super) const fn with_another(&self) -> &'static str {
        match self {
            Self::NoText { .. }
            | Self::NoSecret { reason: SecretError::Empty | SecretError::Line { .. }, .. } => {
                "; make one with 'passbook secret FILE'"
            }
            Self::OtherVersion { .. } => ", or make another with 'passbook secret FILE'",
            Self::NoSecret { .. }
            | Self::Exists { .. }
            | Self::Write { .. }
            | Self::Read { .. }
            | Self::NoRandomness(_) => "",
        }
    }
}

/// Writes a new secret.
pub(super) fn make_secret(args: &SecretArgs) -> Result<Exit, Failure> {
    let secret = BankSecret::random().map_err(SecretFileError::from)?;
    write_secret(&args.file, &secret)?;
    Ok(Exit::Holds)
}

/// It is written beside its place first: where it is, it is whole, whenever the process is killed.
pub(super) fn write_secret(path: &Path, secret: &BankSecret) -> Result<(), SecretFileError> {
    let failed = |reason| SecretFileError::Write { path: path.to_owned(), reason };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
    writeln!(file, "{}", secret.line()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    match file.persist_noclobber(path) {
        // So is its name.
        Ok(_) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(SecretFileError::Exists { path: path.to_owned() })
        }
        Err(error) => Err(failed(error.error)),
    }
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
