"""A local Boss for a bench: new and empty, in a folder of its own, with a journal of what it was asked and what it did."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile

import requests

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("BOSS_INGEST_BINARY", ROOT / "target/release/boss-ingest"))
LINK = os.environ.get("BOSS_INGEST_LINK", "cargo bench --quiet --bench link --").split()


class Boss:
    """A local Boss, behind a slow link if wanted."""

    def __init__(self, folder, delay_ms=0, visibility_s=120):
        self.dir = tempfile.TemporaryDirectory(dir=folder)
        self.path = pathlib.Path(self.dir.name)
        self.journal = Journal(self.path / "journal.jsonl")
        self.children = []
        self.origin = self.start([BINARY, "serve", self.path / "boss", "--listen", "127.0.0.1:0", "--journal", self.journal.path,
                                  "--visibility", visibility_s], XDG_STATE_HOME=self.path / "state_of_server")
        self.server = self.children[0]
        if delay_ms:
            self.origin = "http://" + self.start([*LINK, self.origin.removeprefix("http://"), delay_ms])
        self.token = (self.path / "boss/token").read_text().strip()
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.path), "INTERN_TOKEN": self.token, "AWS_ENDPOINT_URL": self.origin,
                            "XDG_STATE_HOME": str(self.path / "state"), "XDG_CACHE_HOME": str(self.path / "cache")}

    @property
    def host(self):
        return self.origin.removeprefix("http://")

    def start(self, command, **environment):
        child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
                                 env=os.environ | {name: str(value) for name, value in environment.items()}, start_new_session=True)
        self.children.append(child)
        return child.stdout.readline().strip()

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Token {self.token}"}
        answer = requests.request(method, self.origin + path, json=body, headers=headers, timeout=600)
        answer.raise_for_status()
        return answer.json() if answer.text else None

    def make_channel(self, size, dtype):
        frame = {f"{axis}_{end}": at for axis, length in zip("xyz", size) for end, at in (("start", 0), ("stop", length))}
        frame |= {f"{axis}_voxel_size": 4 for axis in "xyz"} | {"voxel_unit": "nanometers"}
        self.ask("POST", "/v1/collection/col", {})
        self.ask("POST", "/v1/coord/frame", frame)
        self.ask("POST", "/v1/collection/col/experiment/exp", {"coord_frame": "frame"})
        self.ask("POST", "/v1/collection/col/experiment/exp/channel/chan", {"type": "image", "datatype": dtype})

    def status(self, job=1):
        return self.ask("GET", f"/latest/ingest/{job}/status")["status"]

    def cpu_seconds(self):
        return cpu_seconds(pathlib.Path(f"/proc/{self.server.pid}"))

    def close(self):
        for child in reversed(self.children):
            # `cargo` has a process below it.
            os.killpg(child.pid, signal.SIGINT)
            child.wait()
        self.dir.cleanup()


class Journal:
    """What a Boss wrote down."""

    def __init__(self, path):
        self.path, self.seen, self.deleted = path, 0, 0

    def count_deleted(self):
        """How many messages were deleted so far. Cheap enough to be asked while a client runs."""
        with open(self.path, "rb") as file:
            file.seek(self.seen)
            fresh = file.read()
        fresh = fresh[:fresh.rfind(b"\n") + 1]
        self.seen += len(fresh)
        self.deleted += fresh.count(b'"effect":"deleted"')
        return self.deleted

    def lines(self, place=0):
        """All lines from a place in the file on."""
        with open(self.path, "rb") as file:
            file.seek(place)
            return [json.loads(line) for line in file if line.endswith(b"\n")]

    def first_put(self, place):
        """When the first PUT came, in milliseconds since 1970, from a place in the file on; `None` before it came."""
        return next((line["at_ms"] for line in self.lines(place) if line.get("operation") == "s3.put"), None)


def cpu_seconds(process):
    """User and system time of a process of /proc, without its children."""
    fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def session_of(pid):
    """The processes of the session that a child leads, and the CPU seconds of all of them with those that have ended."""
    processes, seconds = [], 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == pid:
            processes.append(stat.parent)
            seconds += sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return processes, seconds


def peak_bytes(process):
    """The most memory that a process had at once; 0 when it is gone."""
    try:
        lines = (process / "status").read_text().splitlines()
        return max((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), default=0)
    except OSError:
        return 0
