"""Makes all vectors again, and compares each case with the committed one.

    python3 test/second/check.py

Standard library and the openssl command only; a maker NAME.py prints what test/vectors/NAME.json
holds; log.py answers the cases that the project itself makes. Exits with 1 on any difference.
"""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import capreader

here = Path(__file__).resolve().parent


def made(name):
    command = [sys.executable, here / (name + ".py")]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def compared(name, ours):
    """Names of the cases that agree, and of those that do not."""
    committed = json.loads((here.parent / "vectors" / (name + ".json")).read_text())
    pairs = [{case["id"]: case for case in file["cases"]} for file in (committed, ours)]
    same, other = [], []
    for case in sorted(pairs[0].keys() | pairs[1].keys()):
        (same if pairs[0].get(case) == pairs[1].get(case) else other).append(f"{name}: {case}")
    return same, other


def caps_read():
    """Caps are made by caps.py; here they are read as well."""
    cases = json.loads((here.parent / "vectors" / "caps.json").read_text())["cases"]
    return compared("caps", {"cases": [
        capreader.answered(case) if case["op"] == "cap-parse" else case for case in cases]})


def main():
    # by what is in the file, so that no vector stays unchecked for want of a maker
    names = sorted(path.stem for path in (here.parent / "vectors").glob("*.json"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = [compared(name, ours) for name, ours in zip(names, pool.map(made, names))]
    results.append(caps_read())
    failed = [case for _, other in results for case in other]
    for case in failed:
        print("differs: " + case, file=sys.stderr)
    print(f"{sum(len(same) for same, _ in results)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
