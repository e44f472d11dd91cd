//! A shell in which the commands of a document run.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fs};

use tempfile::TempDir;

/// What the ports of a served bank begin with in the documents: 50051, 50052, ….
const PORTS: &str = "127.0.0.1:5005";

/// Ends what a command prints.
const MARK: &str = "\u{1}ended with ";

/// What a reader has before anything is installed.
const CARGO: &str = "#!/bin/sh
[ \"$1 $2 $3\" = 'run --release --' ] || { echo \"cargo $*: not run by this test\"; exit 97; }
shift 3
exec passbook \"$@\"
";

pub(crate) struct Session {
    shell: Child,
    commands: ChildStdin,
    prints: BufReader<ChildStdout>,
    /// With its output: it ends when nobody can read that.
    bank: Option<(Child, BufReader<ChildStdout>)>,
    folder: TempDir,
}

/// What came of a command.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) prints: String,
}

impl Session {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&root.join("input"), &folder.path().join("input"));
        copy(&root.join("proto"), &folder.path().join("proto"));
        let programs = tempfile::tempdir_in(folder.path()).expect("a folder").keep();
        write_program(&programs.join("cargo"), CARGO);
        let program = Path::new(env!("CARGO_BIN_EXE_passbook")).parent().expect("a folder");
        let tools = env::var("DOCS_TOOLS").unwrap_or_default();
        let paths = [&programs.display().to_string(), &program.display().to_string(), &tools];
        let path = paths.map(String::as_str).join(":");
        let mut shell = command("sh", folder.path());
        shell.env("PATH", format!("{path}:{}", env::var("PATH").unwrap_or_default()));
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh");
        let mut commands = shell.stdin.take().expect("a pipe");
        let prints = BufReader::new(shell.stdout.take().expect("a pipe"));
        commands.write_all(b"exec 2>&1\n").expect("the shell reads");
        Self { shell, commands, prints, bank: None, folder }
    }

    /// Opens the bank that `passbook serve` opens with these arguments, in place of the last; none: that
    /// goes on.
    pub(crate) fn serve(&mut self, arguments: Option<&str>) {
        let Some(arguments) = arguments else { return };
        self.close_bank();
        let mut serve = command(env!("CARGO_BIN_EXE_passbook"), self.folder.path());
        let base_port = format!("{}0", ports());
        let serve = serve.args(["serve", "--base-port", &base_port]);
        let serve = serve.args(arguments.split_whitespace());
        let mut bank = serve.stdout(Stdio::piped()).spawn().expect("the bank opens");
        let mut ready = String::new();
        let mut prints = BufReader::new(bank.stdout.take().expect("a pipe"));
        prints.read_line(&mut ready).expect("the bank says that it is ready");
        assert!(ready.contains("listens on"), "passbook serve {arguments}: {ready}");
        self.bank = Some((bank, prints));
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), elsewhere(text)).expect("it is written");
    }

    pub(crate) fn run(&mut self, command: &str) -> Ran {
        let script = format!("{}\nprintf '\\n{MARK}%s\\n' $?\n", elsewhere(command));
        self.commands.write_all(script.as_bytes()).expect("the shell reads");
        let mut prints = String::new();
        loop {
            let mut line = String::new();
            let read = self.prints.read_line(&mut line).expect("text");
            assert!(read > 0, "the shell ended: $ {command}\n{prints}");
            if let Some(code) = line.strip_prefix(MARK) {
                prints.truncate(prints.len() - 1);
                return Ran { code: code.trim().parse().expect("a code"), prints };
            }
            prints.push_str(&line);
        }
    }

    fn close_bank(&mut self) {
        if let Some((mut bank, _)) = self.bank.take() {
            bank.kill().expect("it still runs");
            bank.wait().expect("it ends");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close_bank();
        self.shell.kill().expect("the shell still runs");
        self.shell.wait().expect("it ends");
    }
}

/// What this process has instead of [`PORTS`]: some that no client is given by the system, and no other
/// run of these tests.
fn ports() -> u32 {
    2000 + std::process::id() % 1000
}

fn elsewhere(text: &str) -> String {
    text.replace(PORTS, &format!("127.0.0.1:{}", ports()))
}

/// `program` in `folder`, without what the caller's environment says.
fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("PASSBOOK_") {
            command.env_remove(name);
        }
    }
    for name in ["COLUMNS", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

fn copy(from: &Path, to: &PathBuf) {
    fs::create_dir(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let from = entry.expect("an entry").path();
        let to = to.join(from.file_name().expect("a name"));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a copy");
        }
    }
}

fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;

    fs::write(path, text).expect("it is written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it may be run");
}
