"""Uploads the same data with the Python client and with ours to the same local Boss, in turn, and prints what each took.

    python3 -m venv target/python_client      (see tests/foreign/python_client/requirements.txt)
    cargo build --release && cargo bench --bench link --no-run
    target/python_client/bin/python benches/against_the_python_client/run.py FOLDER [WORKLOAD ...] [--pairs N] [--ours-only]

FOLDER gets the data, some 4 GB in all, where it does not have them yet. A client's time runs from its start until the upload
queue has no message, free or held: everything is stored then. What follows, four times ten seconds of waiting in the Python
client, is not counted. CPU seconds are those of the client with all its processes, from start to end. Several local Bosses, each
new and empty, serve one run each.
"""

import argparse
import json
import os
import pathlib
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import boto3
import requests
import workloads

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("BOSS_INGEST_BINARY", ROOT / "target/release/boss-ingest"))
LINK = os.environ.get("BOSS_INGEST_LINK", "cargo bench --quiet --bench link --").split()
PLUGINS = ROOT / "tests/foreign/python_client"


class Boss:
    """A local Boss of its own, behind a slow link if wanted."""

    def __init__(self, folder, delay_ms):
        self.dir = tempfile.TemporaryDirectory(dir=folder)
        self.children, self.origin, self.queue, self.sqs = [], "", None, None
        self.origin = self.start([BINARY, "serve", self.dir.name, "--listen", "127.0.0.1:0", "--completion-wait", "0"])
        self.server, self.direct = self.children[0], self.origin
        if delay_ms:
            self.origin = "http://" + self.start([*LINK, self.origin.removeprefix("http://"), delay_ms])
        self.token = (pathlib.Path(self.dir.name) / "token").read_text().strip()

    def start(self, command):
        child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
        self.children.append(child)
        return child.stdout.readline().strip()

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Token {self.token}"}
        answer = requests.request(method, self.origin + path, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.text else None

    def make_channel(self, size, dtype):
        frame = {f"{axis}_{end}": at for axis, length in zip("xyz", size) for end, at in (("start", 0), ("stop", length))}
        frame |= {f"{axis}_voxel_size": 4 for axis in "xyz"} | {"voxel_unit": "nanometers"}
        self.ask("POST", "/v1/collection/col", {})
        self.ask("POST", "/v1/coord/frame", frame)
        self.ask("POST", "/v1/collection/col/experiment/exp", {"coord_frame": "frame"})
        self.ask("POST", "/v1/collection/col/experiment/exp/channel/chan", {"type": "image", "datatype": dtype})

    def status(self):
        return self.ask("GET", "/latest/ingest/1/status")["status"]

    def is_all_stored(self):
        """Whether the job's upload queue has no message, free or held."""
        try:
            if self.queue is None:
                joined = self.ask("GET", "/latest/ingest/1")
                keys = joined["credentials"]
                if keys is None:
                    return False
                self.queue = joined["ingest_job"]["upload_queue"]
                self.sqs = boto3.client("sqs", "us-east-1", endpoint_url=self.direct, aws_access_key_id=keys["access_key"],
                                        aws_secret_access_key=keys["secret_key"])
            counts = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])["Attributes"]
            return counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"
        except requests.HTTPError:
            return False
        except self.sqs.exceptions.QueueDoesNotExist:
            return True

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.server.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def sent_bytes(self):
        return sum(file.stat().st_size for file in pathlib.Path(self.dir.name).rglob("*") if file.is_file() and "sqlite" not in file.name)

    def close(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGINT)
            child.wait()
        self.dir.cleanup()


def measure(who, folder, boss_folder, name, memory):
    boss = Boss(boss_folder, workloads.WORKLOADS[name][3])
    try:
        file, job, dtype, processes, _ = workloads.write(folder, name, boss.origin.removeprefix("http://"), who)
        size = [job["ingest_job"]["extent"][axis][1] for axis in "xyz"]
        boss.make_channel(size, dtype)
        environment = {"PATH": "/usr/bin:/bin", "HOME": boss.dir.name, "INTERN_TOKEN": boss.token, "AWS_ENDPOINT_URL": boss.origin,
                       "PYTHONPATH": str(PLUGINS), "XDG_STATE_HOME": boss.dir.name + "/state", "XDG_CACHE_HOME": boss.dir.name + "/cache"}
        if who == "ours":
            command = [BINARY, "create", file, "--yes", "--memory", memory]
        else:
            command = [pathlib.Path(sys.executable).parent / "boss-ingest", file, "-f", "-p", processes]
        return run([str(part) for part in command], environment, boss, numpy_bytes(size, dtype))
    finally:
        boss.close()


def numpy_bytes(size, dtype):
    return size[0] * size[1] * size[2] * int(dtype.removeprefix("uint")) // 8


def run(command, environment, boss, voxel_bytes):
    before, server_before, start = resource.getrusage(resource.RUSAGE_CHILDREN), boss.cpu_seconds(), time.monotonic()
    client = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=boss.dir.name)
    said, peak = [], [0]
    threading.Thread(target=lambda: said.append(client.stderr.read().decode()), daemon=True).start()
    stored, server = None, None
    while client.poll() is None:
        if stored is None and boss.is_all_stored():
            stored, server = time.monotonic() - start, boss.cpu_seconds() - server_before
        try:
            lines = pathlib.Path(f"/proc/{client.pid}/status").read_text().splitlines()
            peak[0] = max(peak[0], *(int(line.split()[1]) for line in lines if line.startswith("VmHWM")))
        except (OSError, ValueError, TypeError):
            pass
        time.sleep(0.05)
    whole = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert client.returncode == 0, "".join(said)
    assert boss.status() == 2, "the job is not complete"
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    seconds = stored or whole
    return {"MB/s": voxel_bytes / seconds / 1e6, "CPU s/GB": cpu / (voxel_bytes / 1e9), "seconds": seconds, "whole": whole,
            "server CPU s/GB": (server or 0) / (voxel_bytes / 1e9), "peak MiB": peak[0] / 1024, "sent bytes": boss.sent_bytes()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("workloads", nargs="*", default=list(workloads.WORKLOADS))
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--memory", default="1GiB")
    parser.add_argument("--boss-folder", type=pathlib.Path, help="where local Bosses lie, such as /dev/shm [default: FOLDER]")
    parser.add_argument("--ours-only", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.workloads or workloads.WORKLOADS:
        runs = {"ours": [], "theirs": []}
        for _ in range(arguments.pairs):
            for who in ["ours"] if arguments.ours_only else ["ours", "theirs"]:
                runs[who].append(measure(who, folder, arguments.boss_folder or folder, name, arguments.memory))
                print(name, who, json.dumps({key: round(value, 2) for key, value in runs[who][-1].items()}),
                      "load", os.getloadavg()[0], file=sys.stderr, flush=True)
        tell(name, runs)


def tell(name, runs):
    median = {who: {key: statistics.median(run[key] for run in each) for key in each[0]} for who, each in runs.items() if each}
    line = [name, *(f"{median['ours'][key]:.1f}" for key in ["MB/s", "CPU s/GB", "peak MiB"])]
    if "theirs" in median:
        line += [f"{median['theirs'][key]:.1f}" for key in ["MB/s", "CPU s/GB"]]
        pairs = list(zip(runs["ours"], runs["theirs"]))
        line += [f"{statistics.median(one[key] / other[key] for one, other in pairs):.2f}" for key in ["MB/s", "CPU s/GB", "sent bytes"]]
    print("| " + " | ".join(line) + " |", flush=True)


main()
