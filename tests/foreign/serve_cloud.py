"""A Boss whose S3 and SQS are not ours: moto's queues, and moto's or SeaweedFS's buckets, behind a small front that joins a job.

    serve_cloud.py FOLDER [--tls] [--weed PROGRAM]

Prints the addresses as JSON, then serves ingest job 7 of FOLDER/job.json, which is read when somebody joins. The keys of objects
and messages are made here, from the Boss's rules. When the job is asked to complete, everything in the buckets is compared with
the sections that the job's z_stack reads, and in a tile job every tile has to have been told to the index. Ends when its input does.

moto checks no signatures; SeaweedFS does. With --tls all addresses are https, with certificates of an authority made here.
"""

import argparse
import asyncio
import datetime
import hashlib
import http.server
import io
import ipaddress
import json
import logging
import pathlib
import random
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

import blosc
import boto3
import numpy
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.server import ThreadedMotoServer
from PIL import Image

ID, CHANNEL, TOKEN = 7, (4, 5, 6), "judge"
KEYS = {"access_key": "AKIAJUDGE", "secret_key": "s3cr3t/of+the+judge"}
TILES, CUBOIDS = "tiles.judge.org", "ingest.judge.org"


def hashed(*fields):
    text = "&".join(str(field) for field in fields)
    return f"{hashlib.md5(text.encode()).hexdigest()}&{text}"


def morton(x, y, z):
    return sum((x >> i & 1) << 3 * i | (y >> i & 1) << 3 * i + 1 | (z >> i & 1) << 3 * i + 2 for i in range(21))


class Job:
    """The job of a file: its messages, and what has to be stored under which key."""

    def __init__(self, folder):
        self.folder = folder
        job = json.loads((folder / "job.json").read_text())
        self.job = job["ingest_job"]
        self.is_tiles = self.job["ingest_type"] == "tile"
        self.x, self.y, self.z = (range(*self.job["extent"][axis]) for axis in "xyz")
        self.stack = job["client"]["path_processor"]["params"]
        self.dtype = self.box(0, 1, 0, 1, self.z[0], self.z[0] + 1).dtype
        self.expected = {}
        self.messages = list(self.tiles() if self.is_tiles else self.chunks())

    def section(self, z):
        name = re.sub("<p:(\\d+)>", lambda match: str(z).zfill(int(match[1])), self.stack["base_filename"])
        return numpy.asarray(Image.open(self.folder / self.stack["root_dir"] / f"{name}.{self.stack['extension']}"))

    def box(self, x0, x1, y0, y1, z0, z1):
        """Voxels of a box, with zeros outside of the extent."""
        first = self.section(self.z[0])
        box = numpy.zeros((z1 - z0, y1 - y0, x1 - x0), first.dtype)
        for z in range(max(z0, self.z[0]), min(z1, self.z[-1] + 1)):
            x, y = (max(x0, self.x[0]), min(x1, self.x[-1] + 1)), (max(y0, self.y[0]), min(y1, self.y[-1] + 1))
            if x[0] < x[1] and y[0] < y[1]:
                box[z - z0, y[0] - y0 : y[1] - y0, x[0] - x0 : x[1] - x0] = self.section(z)[y[0] : y[1], x[0] : x[1]]
        return box

    def tiles(self):
        width, height = self.job["tile_size"]["x"], self.job["tile_size"]["y"]
        for z0 in self.z[::16]:
            sections = range(z0, min(z0 + 16, self.z[-1] + 1))
            for y, x, z in ((y, x, z) for y in self.y[::height] for x in self.x[::width] for z in sections):
                at = x // width, y // height
                tile = hashed(*CHANNEL, 0, *at, z, 0)
                chunk = hashed(len(sections), *CHANNEL, 0, *at, z // 16, 0)
                self.expected[tile] = (at[0] * width, at[1] * height, z, width, height, 1)
                yield {"job_id": ID, "upload_queue_arn": "", "ingest_queue_arn": "", "chunk_key": chunk, "tile_key": tile}

    def chunks(self):
        size = [self.job["chunk_size"][axis] for axis in "xyz"]
        for z, y, x in ((z, y, x) for z in self.z[:: size[2]] for y in self.y[:: size[1]] for x in self.x[:: size[0]]):
            cuboids = []
            for oz, oy, ox in numpy.ndindex(size[2] // 16, size[1] // 512, size[0] // 512):
                at = (x + ox * 512, y + oy * 512, z + oz * 16)
                key = hashed(*CHANNEL, 0, 0, morton(at[0] // 512, at[1] // 512, at[2] // 16))
                cuboids.append({"x": ox * 512, "y": oy * 512, "z": oz * 16, "key": key})
                self.expected[key] = (*at, 512, 512, 16)
            yield {"chunk_key": hashed(1, *CHANNEL, 0, x // size[0], y // size[1], z // size[2], 0), "cuboids": cuboids}

    def expected_voxels(self, key):
        x, y, z, width, height, depth = self.expected[key]
        return self.box(x, x + width, y, y + height, z, z + depth)


class Cloud:
    """The queues and buckets, and how far the job has come."""

    def __init__(self, folder, s3, sqs):
        keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"], "region_name": "us-east-1"}
        self.folder, self.job, self.status, self.lock = folder, None, 0, threading.Lock()
        self.s3, self.sqs = boto3.client("s3", endpoint_url=s3, **keys), boto3.client("sqs", endpoint_url=sqs, **keys)
        self.upload, self.index = (
            self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "120"})["QueueUrl"]
            for name in ("judge-upload-7", "judge-7-index")
        )
        for bucket in (TILES, CUBOIDS):
            wait_for(lambda: self.s3.create_bucket(Bucket=bucket))

    def start(self):
        with self.lock:
            if self.job:
                return
            self.job = Job(self.folder)
            for message in self.job.messages:
                self.sqs.send_message(QueueUrl=self.upload, MessageBody=json.dumps(message))
            self.status = 1

    def count(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.upload, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def complete(self):
        if self.count():
            return 400, {"status": 400, "code": 1006, "message": "Upload queue is not empty"}
        if self.status == 1:
            self.status = 6
            return 202, {"job_status": 6, "wait_secs": 1}
        self.check_objects()
        if self.job.is_tiles:
            self.check_index()
        self.status = 2
        print("every object is right", flush=True)
        return 202, {"job_status": 5, "wait_secs": 0}

    def check_objects(self):
        bucket = TILES if self.job.is_tiles else CUBOIDS
        for key in self.job.expected:
            voxels = self.job.expected_voxels(key)
            try:
                reply = self.s3.get_object(Bucket=bucket, Key=key)
            except ClientError:
                assert not voxels.any(), f"{key} is not there"
                continue
            body, about = reply["Body"].read(), json.loads(reply["Metadata"]["metadata"])
            assert about["ingest_job"] == ID and about["parameters"]["resource"], about
            if self.job.is_tiles:
                assert about["tile_key"] == key and {"message_id", "receipt_handle"} < set(reply["Metadata"]), reply["Metadata"]
                found = numpy.asarray(Image.open(io.BytesIO(body)))[None]
            else:
                found = numpy.frombuffer(blosc.decompress(body), voxels.dtype).reshape(voxels.shape)
            assert (found == voxels).all(), f"{key} has other voxels"

    def check_index(self):
        told = set()
        while messages := self.sqs.receive_message(QueueUrl=self.index, MaxNumberOfMessages=10).get("Messages"):
            told |= {json.loads(message["Body"])["tile_key"] for message in messages}
        assert told == set(self.job.expected), "the index was not told of every tile"

    def join(self):
        job = {"id": ID, "collection": "col", "experiment": "exp", "channel": "chan", "status": self.status}
        job |= {"ingest_type": int(not self.job.is_tiles), "tile_count": len(self.job.messages), "upload_queue": self.upload}
        tile_queues = {"ingest_queue": self.index + "-ingest", "tile_index_queue": self.index}
        job |= tile_queues if self.job.is_tiles else dict.fromkeys(tile_queues)
        channel = {"type": "image", "datatype": str(self.job.dtype), "base_resolution": 0}
        resource = {"boss_key": "col&exp&chan", "lookup_key": "&".join(map(str, CHANNEL)), "channel": channel}
        return {
            "ingest_job": job,
            "credentials": KEYS | {"security_token": None},
            "tile_bucket_name": TILES,
            "ingest_bucket_name": CUBOIDS,
            "KVIO_SETTINGS": {"cache_host": "h"},
            "STATEIO_CONFIG": {"cache_state_host": "h"},
            "OBJECTIO_CONFIG": {"s3_flush_queue": "q"},
            "resource": resource,
        }


def front(cloud):
    """The Boss's own part: join, status, complete."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if self.path.rstrip("/") == f"/latest/ingest/{ID}":
                cloud.start()
                return self.answer(200, cloud.join())
            if self.path.rstrip("/") == f"/latest/ingest/{ID}/status":
                count, total = cloud.count(), len(cloud.job.messages)
                body = {"id": ID, "status": cloud.status, "total_message_count": total, "current_message_count": count}
                return self.answer(200, body)
            self.answer(404, {"status": 404, "code": 4000, "message": "not found"})

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer(*cloud.complete())

        def answer(self, status, body):
            if self.headers["Authorization"] != f"Token {TOKEN}":
                status, body = 401, {"detail": "Invalid token."}
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def wait_for(call):
    for _ in range(300):
        try:
            return call()
        except (EndpointConnectionError, ClientError):
            time.sleep(0.1)
    return call()


def free_port():
    """A port for SeaweedFS, which takes the one 10000 above it as well."""
    while True:
        port = random.randrange(20000, 30000)
        try:
            with socket.socket() as first, socket.socket() as second:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 10000))
                return port
        except OSError:
            pass


def start_weed(program, folder):
    """SeaweedFS's S3, which knows the job's keys alone."""
    identity = {"accessKey": KEYS["access_key"], "secretKey": KEYS["secret_key"]}
    actions = ["Admin", "Read", "Write", "List"]
    config = folder / "weed.json"
    config.write_text(json.dumps({"identities": [{"name": "judge", "credentials": [identity], "actions": actions}]}))
    (folder / "weed").mkdir()
    ports = {name: free_port() for name in ("s3.port", "master.port", "volume.port", "filer.port")}
    command = [program, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder / 'weed'}", "-s3", f"-s3.config={config}"]
    command += [f"-{name}={port}" for name, port in ports.items()]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return child, ports["s3.port"]


def make_authority(folder):
    """A certificate authority and a certificate for 127.0.0.1 by it; gives the file of the authority and a server's context."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.timezone.utc)
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def certificate(subject, public_key, is_authority):
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("judge's authority"))
        builder = builder.public_key(public_key).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(30))
        builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return (builder if is_authority else builder.add_extension(addresses, False)).sign(ca_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(certificate("judge's authority", ca_key.public_key(), True).public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + certificate("server", key.public_key(), False).public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return folder / "ca.pem", context


def behind_tls(context, port):
    """Serves a port over TLS; gives the port of that."""
    ready, ports = threading.Event(), []

    async def copy(reader, writer):
        try:
            while part := await reader.read(1 << 16):
                writer.write(part)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    async def connect(reader, writer):
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, to_writer), copy(to_reader, writer))

    async def serve():
        server = await asyncio.start_server(connect, "127.0.0.1", 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()
    ready.wait()
    return ports[0]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--tls", action="store_true")
    arguments.add_argument("--weed")
    asked = arguments.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    sqs_port = s3_port = moto.get_host_and_port()[1]
    weed = None
    if asked.weed:
        weed, s3_port = start_weed(asked.weed, asked.folder)
    try:
        cloud = Cloud(asked.folder, f"http://127.0.0.1:{s3_port}", f"http://127.0.0.1:{sqs_port}")
        ports, scheme, told = {"boss": front(cloud), "s3": s3_port, "sqs": sqs_port}, "http", {}
        if asked.tls:
            authority, context = make_authority(asked.folder)
            ports, scheme = {name: behind_tls(context, port) for name, port in ports.items()}, "https"
            told = {"ca": str(authority)}
        told |= {name: f"{scheme}://127.0.0.1:{port}" for name, port in ports.items()}
        print(json.dumps(told), flush=True)
        sys.stdin.read()
    finally:
        if weed:
            weed.terminate()
            weed.wait()


if __name__ == "__main__":
    main()
