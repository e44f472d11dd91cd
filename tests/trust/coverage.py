"""Sums the coverage that cargo-llvm-cov found, for each folder of src/ and in total."""

import json
import pathlib
import sys

KINDS = ["lines", "regions"]


def folder(path):
    parts = pathlib.Path(path).relative_to(pathlib.Path.cwd()).parts
    if parts[0] != "src":
        return None
    return "/".join(parts[:2]) if len(parts) > 2 else "src"


def main(report):
    sums = {}
    for file in json.loads(pathlib.Path(report).read_text())["data"][0]["files"]:
        name = folder(file["filename"])
        if name is None:
            continue
        for where in (name, "total"):
            counts = sums.setdefault(where, {kind: [0, 0] for kind in KINDS})
            for kind in KINDS:
                counts[kind][0] += file["summary"][kind]["covered"]
                counts[kind][1] += file["summary"][kind]["count"]
    total = sums.pop("total")
    print(f"{'folder':<16}" + "".join(f"{kind:>10}{'of':>8}{'%':>7}" for kind in KINDS))
    for name, counts in [*sorted(sums.items()), ("total", total)]:
        cells = [counts[kind] for kind in KINDS]
        shown = [f"{run:>10}{of:>8}{100 * run / of:>7.1f}" for run, of in cells if of]
        print(f"{name:<16}" + "".join(shown))


main(sys.argv[1])
