"""What tests/trust/hunt does once everything is there: builds the bank with all changes behind switches, runs each, and
keeps what came of it. Says what is not noticed and has no reason, and ends with 1 then."""

import collections, concurrent.futures, json, os, pathlib, re, resource, subprocess, sys, time

KEPT = pathlib.Path("target/hunted")
TREE = KEPT / "tree"
REASONS = pathlib.Path("tests/trust/unnoticed.txt")
SWITCHES = pathlib.Path("target/release/switches")
SEEDS, FACTS, LIMIT_S, MEMORY = 10_000, 16, 600, 6 << 30
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


def read_list():
    """All changes, and the numbers of those that compile. The first has the number 1."""
    file = KEPT / "hunted.json"
    if file.exists() and (kept := json.loads(file.read_text()))["commit"] == commit():
        return kept["mutants"], kept["viable"]
    listed = ["cargo", "mutants", "--dir", TREE, "--config", TREE / "tests/trust/hunt.toml"]
    output("git", "checkout", "--quiet", "--force", "HEAD", cwd=TREE)
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
    kept = {"commit": commit(), "mutants": names, "viable": viable}
    file.write_text(json.dumps(kept))
    return names, viable


def build(*args):
    """The test programs that cargo builds with these arguments."""
    ran = output("cargo", "test", "--locked", "--no-run", "--message-format=json", *args, cwd=TREE)
    messages = map(json.loads, ran.splitlines())
    return [path for message in messages if (path := message.get("executable"))]


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
    reached = REACHED.search(text)
    return came | {"reached": [int(number) for number in reached[1].split(", ") if number]}


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


def hunt(shard, shards):
    names, viable = read_list()
    [program] = build("--profile", "hunt", "--test", "hunt")
    found = read_found()
    if "bank" not in found:
        found["bank"] = came_of(program, 0)
        assert "told" not in found["bank"], found["bank"]["told"]
    mine = [number for number in viable if number % shards == shard % shards]
    for number, came in in_threads(lambda number: came_of(program, number), [n for n in mine if names[n - 1] not in found], found):
        found[names[number - 1]] = came | {"number": number}
    write_found(found)
    check(found)


def others():
    names, viable = read_list()
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
    return dict(map(str.strip, row.split(" | ", 1)) for row in rows)


def tried(found):
    return {name: came for name, came in found.items() if name.startswith("src/")}


def check(found):
    known = reasons()
    left = sorted({plain(name) for name, came in tried(found).items() if "told" not in came} - known.keys())
    if left:
        sys.exit("\n".join(["simulate does not notice:", *left]))
    print(f"every change is noticed, or has its reason in {REASONS}")


def table():
    found = json.loads((KEPT / "found.json").read_text())
    known = reasons()
    cell = lambda text: text.replace("|", "\\|")
    short = lambda name: cell(plain(name).removeprefix("src/bank/"))
    rows = collections.defaultdict(list)
    for name, came in tried(found).items():
        rows[plain(name)].append(came)
    print("| change | seeds | what is told |\n|---|---|---|")
    for name, all_of_it in sorted(rows.items()):
        for came in all_of_it:
            if "told" in came:
                seeds = "" if came["seeds"] is None else f"{came['seeds']:,}"
                print(f"| {short(name)} | {seeds} | {cell(came['told'])} |")
    print("\n| change | why it is not found |\n|---|---|")
    for name, all_of_it in sorted(rows.items()):
        if any("told" not in came for came in all_of_it):
            print(f"| {short(name)} | {cell(known.get(name, '?'))} |")


if __name__ == "__main__":
    match sys.argv[1].split("/"):
        case ["others"]:
            others()
        case ["table"]:
            table()
        case [shard, shards]:
            hunt(int(shard), int(shards))
