"""How long `join` takes until its first PUT arrives at the Boss: of new jobs, and of a half-done job of a million tiles.

    cargo build --release
    target/python_client/bin/python benches/start.py FOLDER [new_tiles] [new_volume] [restart] [--runs 10] [--tiles 1000000]

FOLDER gets data and local Bosses; half a million tiles are some 4 GB there. Python needs `numpy`, `Pillow` and `requests`. Time runs
from the start of the process until the head of a PUT has come, by the Boss's own journal. The large job has one tile of 16 × 16
voxels in each section, made by the script `test_pattern`. Half of it is uploaded, its client is killed with -9, and started again
with the same state directory as often as there are runs; each is killed after its first PUT.
"""

import argparse
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "against_the_python_client"))
import workloads
from local_boss import BINARY, Boss

# What must hold, in seconds.
MOST_FOR_NEW, MOST_FOR_RESTART = 0.5, 5
UPLOADING = 1
PATIENCE_S = 300
# How long a killed client's last requests may take to come.
SILENCE_S = 1


class Joinable:
    """A job of a new local Boss, ready to be joined."""

    def __init__(self, folder, job):
        self.boss = Boss(folder)
        job["client"]["backend"]["host"] = self.boss.host
        self.file = self.boss.path / "job.json"
        self.file.write_text(json.dumps(job))
        self.boss.make_channel([job["ingest_job"]["extent"][axis][1] for axis in "xyz"], "uint8")
        self.id = self.boss.ask("POST", "/latest/ingest/", job)["id"]
        deadline = time.monotonic() + PATIENCE_S
        while self.boss.ask("GET", f"/latest/ingest/{self.id}")["ingest_job"]["status"] != UPLOADING:
            assert time.monotonic() < deadline, "the Boss does not make the job's messages"
            time.sleep(0.02)

    def join(self):
        """Starts a client of this job, and tells when."""
        command = [BINARY, "join", self.file, "-j", self.id, "--yes"]
        start = time.time()
        return start, subprocess.Popen([str(part) for part in command], env=self.boss.environment, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, cwd=self.boss.dir.name)

    def seconds_to_put(self):
        """Seconds from the start of a client until its first PUT. The client is killed then."""
        place = self.boss.journal.path.stat().st_size
        start, client = self.join()
        try:
            while (at_ms := self.boss.journal.first_put(place)) is None:
                assert client.poll() is None, "the client ended without a PUT"
                time.sleep(0.01)
        finally:
            kill(client)
        return at_ms / 1000 - start


def kill(client):
    client.kill()
    client.wait()
    time.sleep(SILENCE_S)


def new(folder, job):
    joinable = Joinable(folder, job)
    try:
        return joinable.seconds_to_put()
    finally:
        joinable.boss.close()


def new_tiles(folder, arguments):
    job = workloads.tiles(folder, [1024, 1024, 64], [1024, 1024])
    job["client"]["tile_processor"] = {"class": "image", "params": {}}
    tell("new_tiles", [new(folder, job) for _ in range(arguments.runs)], MOST_FOR_NEW)


def new_volume(folder, arguments):
    job = workloads.volumetric(folder, "uint8", [1024, 1024, 256], workloads.CHUNK)
    tell("new_volume", [new(folder, job) for _ in range(arguments.runs)], MOST_FOR_NEW)


def restart(folder, arguments):
    pattern = {"class": "test_pattern", "params": {}}
    began = time.time()
    joinable = Joinable(folder, workloads.job("tile", [16, 16, arguments.tiles], [16, 16, 1], pattern, pattern))
    try:
        note(f"the Boss made {arguments.tiles} messages in {time.time() - began:.1f} s")
        began, client = joinable.join()
        try:
            while joinable.boss.journal.count_deleted() < arguments.tiles // 2:
                assert client.poll() is None, "the client ended"
                time.sleep(0.2)
        finally:
            kill(client)
        note(f"half of them were uploaded in {time.time() - began:.0f} s")
        tell("restart", [joinable.seconds_to_put() for _ in range(arguments.runs)], MOST_FOR_RESTART)
    finally:
        joinable.boss.close()


def note(text):
    print(text, file=sys.stderr, flush=True)


def tell(name, seconds, most):
    verdict = "" if max(seconds) < most else ": **too long**"
    print(f"| {name} | {len(seconds)} runs | median {statistics.median(seconds):.3f} s | longest {max(seconds):.3f} s, "
          f"of at most {most}{verdict} |", flush=True)


PARTS = {part.__name__: part for part in (new_tiles, new_volume, restart)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help="of " + ", ".join(PARTS))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--tiles", type=int, default=1_000_000)
    arguments = parser.parse_args()
    # Whoever ends this ends its Bosses and clients, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = arguments.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    for part in arguments.parts:
        PARTS[part](folder, arguments)


main()
