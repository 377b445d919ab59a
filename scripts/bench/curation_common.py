"""What the comparisons of lm-tag with other programs share: documents, runs of lm-tag, modules that lack."""
import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import resource
import subprocess
import sys
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("LM_TEST_DATA", ROOT / ".." / "shared" / "data"))


class Nothing:
    """Can be called and asked for anything."""

    def __call__(self, *args, **kwargs):
        return self

    def __getattr__(self, name):
        return self


class Anything(types.ModuleType):
    """Stands for a module that the taggers compared here import and do not use."""
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()


class Stub(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules named, where they are not installed."""

    def __init__(self, *names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Anything(spec.name)

    def exec_module(self, module):
        pass


def collected(folder, kind, count):
    """The first count records of a kind that scripts/corpus/collect gathers; it does so where they lack."""
    path = pathlib.Path(folder) / f"{kind}.jsonl"
    if not path.exists():
        subprocess.run([ROOT / "scripts" / "corpus" / "collect", folder, str(count)], check=True, stdout=sys.stderr)
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(count))]


def texts_of(files):
    """Texts of files of records; without one, of prose of the test data."""
    if not files:
        whole = "".join(p.read_text() for p in sorted((DATA / "tinyshakespeare").glob("*.txt")))
        return [whole[i:i + 3000] for i in range(0, len(whole), 3000)]
    out = []
    for name in files:
        with open(name, encoding="utf-8") as lines:
            out += [json.loads(line)["text"] for line in lines]
    return out


def write_records(path, records):
    with open(path, "w", encoding="utf-8") as out:
        for i, record in enumerate(records):
            out.write(json.dumps({"id": str(i), **record}) + "\n")


def run_tagger(folder, tagger, path, *options):
    """Types and spans of every record of a file, and the seconds of CPU that one thread takes for it."""
    command = [os.path.join(folder, "lm-tag"), "-T", tagger, "-q", "-t", "1", "-z", "none", *options, path]
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    prefix = len(f"{key_part(tagger)}__" * 2)
    found = [{key[prefix:]: spans for key, spans in json.loads(line).get("attributes", {}).items()} for line in lines]
    return found, end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime


def key_part(name):
    """A name as keys of attributes have it."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name)


def size_mb(records):
    return sum(len(r["text"].encode()) + len(r.get("metadata", {}).get("html", "").encode()) for r in records) / 1e6


def compare_speed(ours, theirs, mb, rounds=3):
    """Megabytes a second of both, the best of rounds in which they take turns; each gives its seconds."""
    best = {"ours": 0, "theirs": 0}
    for _ in range(rounds):
        best["ours"] = max(best["ours"], mb / ours())
        best["theirs"] = max(best["theirs"], mb / theirs())
    return {"ours_mb_s": round(best["ours"], 1), "reference_mb_s": round(best["theirs"], 3),
            "ratio": round(best["ours"] / best["theirs"], 1)}


def cpu_seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def print_table(rows):
    """Rows of compare_speed as a table."""
    print(f"{'tagger':44} {'real':>9} {'differ':>6} {'MB/s':>8} {'reference':>9} {'ratio':>8}")
    for row in rows:
        if "ratio" in row:
            print(f"{row['tagger']:44} {row.get('real', ''):>9} {row.get('differ', ''):>6} {row['ours_mb_s']:>8} "
                  f"{row['reference_mb_s']:>9} {row['ratio']:>8}")
