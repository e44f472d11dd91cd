"""What tests/trust/hunt does once everything is there: builds the bank with all changes behind switches, runs each, and
keeps what came of it. Says what is not noticed and has no reason, and ends with 1 then."""

import collections, concurrent.futures, json, os, pathlib, re, resource, subprocess, sys, time

KEPT = pathlib.Path("target/hunted")
TREE = KEPT / "tree"
# As tests/trust/hunt.toml.
CHANGED = ["src/bank", "src/model/blocks.rs"]
REASONS = pathlib.Path("tests/trust/unnoticed.txt")
SWITCHES = pathlib.Path("target/release/switches")
SEEDS, FACTS, LIMIT_S, MEMORY = 10_000, 8, 600, 6 << 30
FOUND = re.compile(r"^.*?hunt: (\d+) seeds \| (.*?), seed (\S+) \| (.*)$", re.M)
FACTS_OF = re.compile(r"^.*?hunt: facts of (.*): ([0-9a-f]{16})$", re.M)
REACHED = re.compile(r"^.*?hunt: reached \[(.*)\]$", re.M)
FAILED = re.compile(r"^test (\S+) .*FAILED$", re.M)

SWITCH = """//! Which change is on, and which of them a run came to.
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ON: LazyLock<usize> = LazyLock::new(|| {
    std::env::var("PASSBOOK_MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
});
static REACHED: [AtomicBool; NUMBER] = [const { AtomicBool::new(false) }; NUMBER];

pub(crate) fn is_on(number: usize) -> bool {
    REACHED[number].store(true, Ordering::Relaxed);
    *ON == number
}

/// The numbers of those that a run came to.
pub fn reached() -> Vec<usize> {
    (1..NUMBER).filter(|&number| REACHED[number].load(Ordering::Relaxed)).collect()
}
"""


def output(*args, **more):
    return subprocess.run(args, check=True, text=True, stdout=subprocess.PIPE, **more).stdout


def commit():
    return output("git", "rev-parse", "HEAD", cwd=TREE).strip()


def put_behind_switches(mutants, left_out):
    """Writes the tree anew with all changes that may compile; gives those that no switch can make."""
    output("git", "checkout", "--quiet", "--force", "HEAD", cwd=TREE)
    (KEPT / "left_out.json").write_text(json.dumps(sorted(left_out)))
    unswitched = output(SWITCHES, KEPT / "mutants.json", KEPT / "left_out.json", TREE)
    (TREE / "src/switch.rs").write_text(SWITCH.replace("NUMBER", str(len(mutants) + 1)))
    library, test = TREE / "src/lib.rs", TREE / "tests/hunt/main.rs"
    library.write_text(library.read_text() + "pub mod switch;\n")
    before = "    if let Some(seeds) = number(FACTS_VARIABLE) {"
    tell = '    println!("hunt: reached {:?}", passbook::switch::reached());\n'
    assert test.read_text().count(before) == 1
    test.write_text(test.read_text().replace(before, tell + before))
    return set(json.loads(unswitched))


def do_not_compile():
    """The changes at which the compiler objects."""
    check = ["cargo", "check", "--locked", "--no-default-features", "--lib", "--profile", "hunt"]
    ran = subprocess.run(check + ["--message-format=json"], cwd=TREE, text=True, capture_output=True)
    at_fault = set()
    for line in ran.stdout.splitlines():
        message = json.loads(line).get("message") or {}
        for span in message.get("spans", []) if message.get("level") == "error" else []:
            text = (TREE / span["file_name"]).read_bytes()[: span["byte_end"]].decode()
            if span["is_primary"] and (on := re.findall(r"switch::is_on\((\d+)usize\)", text)):
                at_fault.add(int(on[-1]))
    if ran.returncode and not at_fault:
        sys.exit(ran.stderr)
    return at_fault


def kept_list():
    """What was listed in this commit: the changes, which of them compile, and what they are changes of."""
    file = KEPT / "hunted.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    return kept if kept.get("commit") == commit() else None


def read_list(since=None):
    """All changes, or those to what was written since a commit, and the numbers of those that compile. The first has the
    number 1."""
    if (kept := kept_list()) and kept["since"] == since:
        return kept["mutants"], kept["viable"]
    listed = ["cargo", "mutants", "--dir", TREE, "--config", TREE / "tests/trust/hunt.toml"]
    output("git", "checkout", "--quiet", "--force", "HEAD", cwd=TREE)
    if since:
        written = KEPT / "since.diff"
        written.write_text(output("git", "diff", since, "HEAD", "--", *CHANGED, cwd=TREE))
        listed += ["--in-diff", written]
    mutants = json.loads(output(*listed, "--list", "--json"))
    (KEPT / "mutants.json").write_text(json.dumps(mutants))
    left_out = set()
    while True:
        unswitched = put_behind_switches(mutants, left_out)
        if not (more := do_not_compile()):
            break
        left_out |= more
    names = [mutant["name"] for mutant in mutants]
    numbers = range(1, len(names) + 1)
    viable = [number for number in numbers if number not in left_out | unswitched]
    kept = {"commit": commit(), "since": since, "mutants": names, "viable": viable}
    (KEPT / "hunted.json").write_text(json.dumps(kept))
    return names, viable


def build(*args):
    """The test programs that cargo builds with these arguments."""
    ran = output("cargo", "test", "--locked", "--no-run", "--message-format=json", *args, cwd=TREE)
    messages = [message for line in ran.splitlines() if "executable" in (message := json.loads(line))]
    return [message["executable"] for message in messages if message["profile"]["test"]]


def run(program, number, *args):
    environment = os.environ | {"RUST_BACKTRACE": "0", "PASSBOOK_MUTANT": str(number)}
    environment |= {"PASSBOOK_HUNT_SEEDS": str(SEEDS), "PASSBOOK_HUNT_FACTS": str(FACTS)}
    began = time.monotonic()
    try:
        limited = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        ran = subprocess.run(
            [program, *args], cwd=TREE, env=environment, capture_output=True, timeout=LIMIT_S, preexec_fn=limited
        )
        code, text = ran.returncode, (ran.stdout + b"\n" + ran.stderr).decode(errors="replace")
    except subprocess.TimeoutExpired:
        code, text = -1, "takes too long"
    return code, text, round(time.monotonic() - began, 1)


def came_of(program, number):
    code, text, took = run(program, number, "--nocapture")
    came = {"facts": dict(FACTS_OF.findall(text)), "took_s": took}
    if found := FOUND.search(text):
        seeds, load, seed, told = found.groups()
        return came | {"seeds": int(seeds), "load": load, "seed": seed, "told": told}
    if code:
        return came | {"seeds": None, "told": "the program ends: " + text.strip().splitlines()[-1]}
    if not number:
        came["reached"] = [int(one) for one in REACHED.search(text)[1].split(", ")]
    return came


def read_found():
    file = KEPT / "found.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    return found if found.get("commit") == commit() else {"commit": commit()}


def write_found(found):
    new = KEPT / "found.new"
    new.write_text(json.dumps(found, indent=1))
    new.replace(KEPT / "found.json")


def in_threads(work, numbers, found):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        under_way = {threads.submit(work, number): number for number in numbers}
        for done in concurrent.futures.as_completed(under_way):
            yield under_way[done], done.result()
            write_found(found)


def hunt(shard, shards, since=None):
    names, viable = read_list(since)
    [program] = build("--profile", "hunt", "--test", "hunt")
    found = read_found()
    if "bank" not in found:
        found["bank"] = came_of(program, 0)
        assert "told" not in found["bank"], found["bank"]["told"]
    # What the bank as it is never comes to is the same bank.
    reached = set(found["bank"]["reached"])
    mine = [number for number in viable if number % shards == shard % shards]
    for number in mine:
        if number not in reached:
            found[names[number - 1]] = {"number": number, "reached": False}
    left = [number for number in mine if names[number - 1] not in found]
    for number, came in in_threads(lambda number: came_of(program, number), left, found):
        found[names[number - 1]] = came | {"number": number, "reached": True}
    write_found(found)
    check(found)


def others():
    if not (kept := kept_list()):
        sys.exit("in this commit nothing was tried yet")
    names = kept["mutants"]
    programs = build("--no-default-features", "--lib", "--test", "lives")
    found = read_found()

    def killers(number):
        for program in programs:
            code, text, _ = run(program, number, *(["bank::"] if "/passbook-" in program else []))
            if code:
                return (FAILED.findall(text) or ["a test that does not come to its end"])[0]
        return None

    left = [came["number"] for came in found.values() if isinstance(came, dict) and "number" in came and "told" not in came]
    for number, killer in in_threads(killers, left, found):
        found[names[number - 1]]["killer"] = killer
    write_found(found)


def plain(name):
    """Without the line and the column, which every change above moves."""
    return re.sub(r"^([^:]+):\d+:\d+: ", r"\1: ", name)


def reasons():
    rows = (line for line in REASONS.read_text().splitlines() if line.startswith("src/"))
    return dict(map(str.strip, row.rsplit(" | ", 1)) for row in rows)


def tried(found):
    return {name: came for name, came in found.items() if name.startswith("src/")}


def check(found):
    known = reasons()
    left = sorted({plain(name) for name, came in tried(found).items() if "told" not in came} - known.keys())
    if left:
        sys.exit("\n".join(["simulate does not notice:", *left]))
    print(f"every change is noticed, or has its reason in {REASONS}")


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def short(name):
    return cell(plain(name).removeprefix("src/bank/"))


PAGE = """# What a simulation notices

Each row below is a change to `src/bank` that cargo-mutants makes, in commit {commit}. There are {changes} that compile, and all were tried.
`simulate` alone notices {found} of them within {seeds:,} seeds, of {loads} loads together; {left} it does not, and the second table
says why: no simulated run comes to {unreached} of these, and {tested} fail a test of the bank (`cargo test --lib bank`, `--test lives`).
[SIMULATION.md](SIMULATION.md#faults-of-the-bank-itself) says how they are tried; `tests/trust/hunt table` prints this page.

*seeds* is how many runs it took, of all loads together, up to the first that shows it; none is given where a run did not end, or the program did.
*load* is what was simulated: `tests/hunt/loads.rs` has them all.

## Noticed

| change | seeds | load | what is told |
|---|---|---|---|"""


def table():
    found = read_found()
    rows = collections.defaultdict(list)
    for name, came in sorted(tried(found).items()):
        rows[plain(name)].append(came)
    all_of_it = [came for of_name in rows.values() for came in of_name]
    told = sum("told" in came for came in all_of_it)
    numbers = {"changes": len(all_of_it), "found": told, "left": len(all_of_it) - told, "seeds": SEEDS}
    numbers["unreached"] = sum(not came["reached"] for came in all_of_it)
    numbers["tested"] = sum(bool(came.get("killer")) for came in all_of_it if "told" not in came)
    print(PAGE.format(commit=found["commit"][:10], loads=len(found["bank"]["facts"]), **numbers))
    for name, of_name in rows.items():
        for came in (came for came in of_name if "told" in came):
            seeds = f"{came['seeds']:,}" if came["seeds"] else ""
            print(f"| {short(name)} | {seeds} | {came.get('load') or ''} | {cell(came['told'])} |")
    print("\n## Not noticed\n\n| change | why not | test of the bank that fails |\n|---|---|---|")
    known = reasons()
    for name, of_name in rows.items():
        if left := [came for came in of_name if "told" not in came]:
            killers = dict.fromkeys(f"`{came['killer']}`" for came in left if came.get("killer"))
            why = cell(known.get(name, "?"))
            if not left[0]["reached"]:
                why = f"no simulated run comes to it; {why}"
            print(f"| {short(name)} | {why} | {', '.join(killers)} |")


def files():
    """The table of docs/SIMULATION.md: how many changes there are in each file."""
    by_file = collections.defaultdict(list)
    for name, came in sorted(tried(read_found()).items()):
        by_file[f"`{name.split(':')[0]}`"].append(came)
    by_file["all"] = [came for of_file in by_file.values() for came in of_file]
    print("| file | changes | noticed | of them within 100 seeds | not noticed | of them by a test of the bank |")
    print("|---|---|---|---|---|---|")
    for file, of_file in by_file.items():
        told = [came for came in of_file if "told" in came]
        soon = [came for came in told if came["seeds"] is None or came["seeds"] <= 100]
        left = [came for came in of_file if "told" not in came]
        tested = [came for came in left if came.get("killer")]
        print(f"| {file} | " + " | ".join(str(len(some)) for some in (of_file, told, soon, left, tested)) + " |")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["others"]:
            others()
        case ["table"]:
            table()
        case ["files"]:
            files()
        case ["since", commit_before]:
            hunt(1, 1, output("git", "rev-parse", commit_before).strip())
        case [share]:
            hunt(*map(int, share.split("/")))
