"""Uploads the same data with the Python client and with ours to the same local Boss, in turn, and prints what each took.

    python3 -m venv target/python_client      (see tests/foreign/python_client/requirements.txt)
    cargo build --release && cargo bench --bench link --bench ceiling --no-run
    target/python_client/bin/python benches/against_the_python_client/run.py FOLDER [WORKLOAD ...] [--pairs N] [--ours-only]

FOLDER gets the data, some 4 GB in all, where it does not have them yet. Each run has a local Boss of its own, new and empty.

A client's time runs from its start until the Boss has deleted the last message of the upload queue, by the Boss's own journal;
every object that any message asked for must be stored then. CPU seconds are those of all the client's processes at that moment.
The Python client is stopped then, as it sleeps for 40 s and more at the end of a job; `--to-the-end` lets it go on. Ours always goes
on until it exits, and its job must be complete.

`ceiling` is what is left of an upload when nothing is done but compress and put (`benches/ceiling.rs`); volumetric jobs only.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import workloads
from local_boss import BINARY, ROOT, Boss, peak_bytes, session_of

CEILING = os.environ.get("BOSS_INGEST_CEILING", "cargo bench --quiet --bench ceiling --").split()
PLUGINS = ROOT / "tests/foreign/python_client"
COMPLETE = 2
# What ours may take of memory besides `--memory`.
BESIDES_MIB = 64


def measure(who, name, arguments):
    boss = Boss(arguments.boss_folder or arguments.folder, workloads.WORKLOADS[name].delay_ms)
    try:
        file, job, workload = workloads.write(arguments.folder, name, boss.host, who)
        size = [job["ingest_job"]["extent"][axis][1] for axis in "xyz"]
        boss.make_channel(size, workload.dtype)
        voxel_bytes = size[0] * size[1] * size[2] * int(workload.dtype.removeprefix("uint")) // 8
        if who == "ceiling":
            return ceiling(file, boss, 32 if workload.delay_ms else 12)
        if who == "ours":
            command = [BINARY, "create", file, "--yes", "--memory", arguments.memory]
        else:
            command = [pathlib.Path(sys.executable).parent / "boss-ingest", file, "-f", "-p", workload.processes]
        to_the_end = who == "ours" or arguments.to_the_end
        return run([str(part) for part in command], boss, tasks_of(job), voxel_bytes, to_the_end)
    finally:
        boss.close()


def tasks_of(job):
    ingest = job["ingest_job"]
    step = ingest.get("tile_size") or ingest["chunk_size"]
    count = 1
    for axis in "xyz":
        count *= -(-ingest["extent"][axis][1] // step[axis])
    return count


def run(command, boss, tasks, voxel_bytes, to_the_end):
    before, server_before, start = ended_cpu_seconds(), boss.cpu_seconds(), time.time()
    client = subprocess.Popen(command, env=boss.environment | {"PYTHONPATH": str(PLUGINS)}, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, cwd=boss.dir.name, start_new_session=True)
    said, peak, at_end = [], 0, None
    threading.Thread(target=lambda: said.append(client.stderr.read().decode()), daemon=True).start()
    try:
        while client.poll() is None:
            peak = max(peak, peak_bytes(pathlib.Path(f"/proc/{client.pid}")))
            if at_end is None and boss.journal.count_deleted() >= tasks:
                processes, cpu = session_of(client.pid)
                peak = max(peak, sum(peak_bytes(process) for process in processes))
                at_end = cpu, boss.cpu_seconds() - server_before
                if not to_the_end:
                    break
            time.sleep(0.02)
    finally:
        if not (to_the_end and client.returncode == 0):
            stop(client)
    if to_the_end:
        assert client.returncode == 0, "".join(said)
        assert boss.status() == COMPLETE, "the job is not complete"
        # A client may exit between two looks.
        at_end = at_end or (ended_cpu_seconds() - before, boss.cpu_seconds() - server_before)
    assert at_end, "the client ended before the job: " + "".join(said)
    stored_at, requests, cuboids = judge(boss.journal.lines(), tasks)
    cpu, server = at_end
    seconds, gigabytes = stored_at - start, voxel_bytes / 1e9
    return {"MB/s": voxel_bytes / seconds / 1e6, "CPU s/GB": cpu / gigabytes, "seconds": seconds, "whole": time.time() - start,
            "server CPU s/GB": server / gigabytes, "peak MiB": peak / 2**20, "sent bytes": sent_bytes(boss), "objects": cuboids,
            "SQS requests per task": sum(count for name, count in requests.items() if name.startswith("sqs.")) / tasks,
            "images decoded": images_decoded(boss), "requests per task": {name: count / tasks for name, count in requests.items()}}


def ended_cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def stop(client):
    """Ends the client with all its processes, which are a session of their own."""
    for how, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        deadline = time.monotonic() + patience
        while session_of(client.pid)[0] and time.monotonic() < deadline:
            try:
                os.killpg(client.pid, how)
            except ProcessLookupError:
                return
            time.sleep(0.1)
            client.poll()


def judge(lines, tasks):
    """When the last message was deleted, how often each operation was asked for, and how many objects there are."""
    wanted, stored, deleted, requests, stored_at = set(), set(), set(), collections.Counter(), None
    for line in lines:
        match line["effect"]:
            case "asked":
                requests[line["operation"]] += 1
            case "received":
                wanted |= set(line["keys"])
            case "stored":
                stored.add(line["key"])
            case "deleted":
                deleted.add(line["message"])
                if stored_at is None and len(deleted) == tasks:
                    stored_at = line["at_ms"] / 1000
                    assert wanted <= stored, f"{len(wanted - stored)} objects are missing"
    assert stored_at, f"{len(deleted)} of {tasks} messages are deleted"
    return stored_at, requests, len(stored)


def sent_bytes(boss):
    total = 0
    for folder, _, names in os.walk(boss.path / "boss"):
        for name in names:
            # The Boss removes tiles of which it has made cuboids.
            with contextlib.suppress(FileNotFoundError):
                total += 0 if "sqlite" in name else os.stat(os.path.join(folder, name)).st_size
    return total


def images_decoded(boss):
    """How often ours decoded an image as a whole, by its log; 0 for the Python client, which does not tell."""
    found = [re.search(r"images_decoded: (\d+)", log.read_text()) for log in (boss.path / "state").rglob("ingest_log*.log")]
    return sum(int(match[1]) for match in found if match)


def ceiling(file, boss, at_once):
    server_before = boss.cpu_seconds()
    ended = subprocess.run([*CEILING, str(file), str(at_once)], env=os.environ | boss.environment | {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
                           stdout=subprocess.PIPE, check=True, cwd=ROOT)
    told = json.loads(ended.stdout)
    gigabytes = told["voxel_bytes"] / 1e9
    return {"MB/s": gigabytes * 1000 / told["seconds"], "CPU s/GB": told["cpu_seconds"] / gigabytes, "seconds": told["seconds"],
            "server CPU s/GB": (boss.cpu_seconds() - server_before) / gigabytes, "sent bytes": told["sent_bytes"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("workloads", nargs="*", default=list(workloads.WORKLOADS))
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--memory", default="2GiB", help="of ours: a number and MiB or GiB")
    parser.add_argument("--boss-folder", type=pathlib.Path, help="where local Bosses lie, such as /dev/shm [default: FOLDER]")
    parser.add_argument("--ours-only", action="store_true")
    parser.add_argument("--no-ceiling", action="store_true")
    parser.add_argument("--to-the-end", action="store_true", help="wait until the Python client exits, and its job must be complete")
    arguments = parser.parse_args()
    # Whoever ends this ends its Bosses and clients, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments.folder = arguments.folder.absolute()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|", flush=True)
    for name in arguments.workloads or workloads.WORKLOADS:
        workload, runs = workloads.WORKLOADS[name], {"ours": [], "theirs": [], "ceiling": []}
        if arguments.ours_only or workload.ours_only:
            del runs["theirs"]
        if arguments.no_ceiling or not workload.has_ceiling:
            del runs["ceiling"]
        for _ in range(arguments.pairs):
            for who in runs:
                runs[who].append(measure(who, name, arguments))
                print(name, who, json.dumps(rounded(runs[who][-1])), "load", os.getloadavg()[0], file=sys.stderr, flush=True)
        tell(name, runs, arguments.memory)


def rounded(value):
    return {key: rounded(each) for key, each in value.items()} if isinstance(value, dict) else round(value, 3)


COLUMNS = ["workload", "runs", "ours, MB/s", "CPU s/GB", "theirs, MB/s", "CPU s/GB", "speed, ratio", "CPU, ratio", "bytes sent, ratio",
           "ceiling, MB/s", "ours / ceiling", "SQS requests per task", "images decoded", "peak MiB, of at most"]


def tell(name, runs, memory):
    """A line of medians; ratios are medians of the runs' own."""

    def median(who, key, format=".1f"):
        return f"{statistics.median(run[key] for run in runs[who]):{format}}" if who in runs else "-"

    def ratio(who, key):
        return f"{statistics.median(one[key] / other[key] for one, other in zip(runs['ours'], runs[who])):.2f}" if who in runs else "-"

    number, unit = re.fullmatch(r"(\d+)([MG])iB", memory).groups()
    most, peak = int(number) * {"M": 1, "G": 1024}[unit] + BESIDES_MIB, max(run["peak MiB"] for run in runs["ours"])
    line = [name, str(len(runs["ours"])), median("ours", "MB/s"), median("ours", "CPU s/GB"), median("theirs", "MB/s"), median("theirs", "CPU s/GB"),
            ratio("theirs", "MB/s"), ratio("theirs", "CPU s/GB"), ratio("theirs", "sent bytes"), median("ceiling", "MB/s"), ratio("ceiling", "MB/s"),
            median("ours", "SQS requests per task", ".2f"), median("ours", "images decoded", ".0f"),
            f"{peak:.0f} of {most}" + (": **too much**" if peak > most else "")]
    print("| " + " | ".join(line) + " |", flush=True)


main()
