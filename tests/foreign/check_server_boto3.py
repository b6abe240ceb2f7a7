"""Finishes a tile job and a volumetric job on a local Boss, with programs that nobody of us wrote.

    check_server_boto3.py ORIGIN TOKEN

boto3 talks to the queues and the buckets, requests to the REST services, Pillow makes the tiles, and python-blosc the
cuboids. What the cutout service gives back is compared with numpy's volume, voxel by voxel.
"""

import io
import json
import sys
import time

import blosc
import boto3
import numpy
import requests
from botocore.exceptions import ClientError
from PIL import Image

ORIGIN, TOKEN = sys.argv[1:3]
HEADERS = {"Authorization": f"Token {TOKEN}"}
X, Y, Z = 1100, 700, 21


def volume(dtype):
    z, y, x = numpy.ogrid[:Z, :Y, :X]
    return (1 + x + 1031 * y + 2424837 * z).astype(dtype)


def padded(data, z, y, x):
    """The box of these three slices, with zeros where the volume has ended."""
    box = numpy.zeros([s.stop - s.start for s in (z, y, x)], data.dtype)
    found = data[z, y, x]
    box[: found.shape[0], : found.shape[1], : found.shape[2]] = found
    return box


def post(path, body, expected=201):
    reply = requests.post(f"{ORIGIN}/{path}", json=body, headers=HEADERS)
    assert reply.status_code == expected, (path, reply.status_code, reply.text)
    return reply.json()


def make_channel(name, dtype):
    frame = {f"{axis}_start": 0 for axis in "xyz"} | {"x_stop": X, "y_stop": Y, "z_stop": Z}
    frame |= {f"{axis}_voxel_size": 4 for axis in "xyz"} | {"voxel_unit": "nanometers"}
    for path, body in [
        (f"collection/{name}", {}),
        (f"coord/{name}", frame),
        (f"collection/{name}/experiment/e", {"coord_frame": name}),
        (f"collection/{name}/experiment/e/channel/ch", {"type": "image", "datatype": dtype}),
    ]:
        post(f"v1/{path}", body)


def create(name, kind):
    processor = {"class": "any", "params": {}}
    backend = {"name": "boss", "class": "BossBackend", "host": "127.0.0.1", "protocol": "http"}
    job = {
        "schema": {"name": "boss-v0.2-schema", "validator": "BossValidatorV02"},
        "client": {"backend": backend, "path_processor": processor, "tile_processor": processor, "chunk_processor": processor},
        "database": {"collection": name, "experiment": "e", "channel": "ch"},
        "ingest_job": {
            "ingest_type": kind,
            "resolution": 0,
            "extent": {"x": [0, X], "y": [0, Y], "z": [0, Z], "t": [0, 1]},
            "tile_size": {"x": 512, "y": 512, "z": 1, "t": 1},
            "chunk_size": {"x": 1024, "y": 512, "z": 32},
        },
    }
    return post("latest/ingest/", job)["id"]


class Joined:
    def __init__(self, job):
        while True:
            reply = requests.get(f"{ORIGIN}/latest/ingest/{job}", headers=HEADERS).json()
            if reply["ingest_job"]["status"] == 1:
                break
            time.sleep(0.1)
        keys = {
            "aws_access_key_id": reply["credentials"]["access_key"],
            "aws_secret_access_key": reply["credentials"]["secret_key"],
            "region_name": "us-east-1",
            "endpoint_url": ORIGIN,
        }
        self.id, self.reply, self.keys = job, reply, keys
        self.sqs, self.s3 = boto3.client("sqs", **keys), boto3.client("s3", **keys)
        self.upload = reply["ingest_job"]["upload_queue"]
        parameters = {name: reply["ingest_job"][name] for name in ("upload_queue", "ingest_queue")}
        for name in ("KVIO_SETTINGS", "STATEIO_CONFIG", "OBJECTIO_CONFIG", "resource"):
            parameters[name] = reply[name]
        self.parameters = parameters

    def messages(self):
        while True:
            reply = self.sqs.receive_message(QueueUrl=self.upload, MaxNumberOfMessages=10)
            if not reply.get("Messages"):
                return
            yield from reply["Messages"]

    def delete(self, message):
        entry = {"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]}
        reply = self.sqs.delete_message_batch(QueueUrl=self.upload, Entries=[entry])
        assert reply["Successful"][0]["Id"] == message["MessageId"]

    def metadata(self, **more):
        return json.dumps({"ingest_job": self.id, "parameters": self.parameters} | more, separators=(",", ":"))

    def put(self, bucket, key, body, metadata):
        bucket = self.reply[bucket]
        reply = self.s3.put_object(
            Bucket=bucket, Key=key, Body=body, Metadata=metadata, ACL="private", StorageClass="STANDARD"
        )
        assert reply["ResponseMetadata"]["HTTPStatusCode"] == 200

    def complete(self):
        url = f"{ORIGIN}/latest/ingest/{self.id}"
        seen = []
        while 5 not in seen:
            reply = requests.post(f"{url}/complete", headers=HEADERS)
            assert reply.status_code == 202 or "wait_secs" in reply.json(), reply.text
            seen.append(reply.json().get("job_status"))
            time.sleep(reply.json().get("wait_secs", 0))
        while (status := requests.get(f"{url}/status", headers=HEADERS).json()["status"]) == 5:
            time.sleep(0.05)
        assert status == 2, (seen, status)


def tile_job(data):
    make_channel("tiles", str(data.dtype))
    job = Joined(create("tiles", "tile"))
    for message in job.messages():
        asked = json.loads(message["Body"])
        x, y, z = (int(field) for field in asked["tile_key"].split("&")[5:8])
        tile = padded(data, slice(z, z + 1), slice(y * 512, y * 512 + 512), slice(x * 512, x * 512 + 512))[0]
        image = io.BytesIO()
        Image.fromarray(tile).save(image, "PNG" if z % 2 else "TIFF")
        keys = {name: asked[name] for name in ("chunk_key", "tile_key")}
        index = job.metadata(**keys, x_size=512, y_size=512)
        metadata = {"message_id": message["MessageId"], "receipt_handle": message["ReceiptHandle"], "metadata": index}
        job.put("tile_bucket_name", asked["tile_key"], image.getvalue(), metadata)
        job.sqs.send_message(QueueUrl=job.reply["ingest_job"]["tile_index_queue"], MessageBody=index)
        job.delete(message)
    counts = job.sqs.get_queue_attributes(QueueUrl=job.upload, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == "0", counts
    refused("AccessDenied", lambda: job.sqs.send_message(QueueUrl=job.upload, MessageBody="x"))
    refused("AccessDenied", lambda: job.s3.put_object(Bucket=job.reply["ingest_bucket_name"], Key="k", Body=b""))
    refused("MetadataTooLarge", lambda: job.put("tile_bucket_name", "k", b"", {"metadata": "x" * 2048}))
    refused_with_another_secret(job)
    job.complete()
    try:
        job.sqs.receive_message(QueueUrl=job.upload)
        raise AssertionError("the queue is still there")
    except job.sqs.exceptions.QueueDoesNotExist:
        pass
    refused("InvalidAccessKeyId", lambda: job.put("tile_bucket_name", "k", b"", {}))


def refused_with_another_secret(job):
    keys = job.keys | {"aws_secret_access_key": job.keys["aws_secret_access_key"][::-1]}
    sqs, s3 = boto3.client("sqs", **keys), boto3.client("s3", **keys)
    refused("SignatureDoesNotMatch", lambda: sqs.receive_message(QueueUrl=job.upload))
    refused("SignatureDoesNotMatch", lambda: s3.put_object(Bucket=job.reply["tile_bucket_name"], Key="k", Body=b"1"))


def refused(code, call):
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"not refused with {code}")


def volumetric_job(data):
    make_channel("cuboids", str(data.dtype))
    job = Joined(create("cuboids", "volumetric"))
    for message in job.messages():
        asked = json.loads(message["Body"])
        chunk = [int(field) for field in asked["chunk_key"].split("&")[6:9]]
        for cuboid in asked["cuboids"]:
            x, y, z = (i * size + cuboid[axis] for i, size, axis in zip(chunk, (1024, 512, 32), "xyz"))
            box = padded(data, slice(z, z + 16), slice(y, y + 512), slice(x, x + 512))
            frame = blosc.compress(box.tobytes(), typesize=data.dtype.itemsize * 8)
            job.put("ingest_bucket_name", cuboid["key"], frame, {"metadata": job.metadata(chunk_key=asked["chunk_key"])})
        job.delete(message)
    job.complete()


def compare(name, data):
    for times in ("", "/0:1"):
        url = f"{ORIGIN}/v1/cutout/{name}/e/ch/0/0:{X}/0:{Y}/0:{Z}{times}/"
        reply = requests.get(url, headers={"Accept": "application/blosc"})
        assert reply.status_code == 200, reply.text
        found = numpy.frombuffer(blosc.decompress(reply.content), data.dtype)
        assert (found.reshape(data.shape) == data).all(), name


for name, run, dtype in [("tiles", tile_job, "uint16"), ("cuboids", volumetric_job, "uint64")]:
    run(volume(dtype))
    compare(name, volume(dtype))
print("every voxel is right")
