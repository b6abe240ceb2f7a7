"""Serves a folder's files from moto's S3, in the bucket `microscopy`, on a free port; ends when its input does.

    python serve_s3.py FOLDER

Prints the endpoint. Objects keep their paths in the folder. The bucket may only be read by who signs (moto checks that there is
a signature, not whose).
"""

import pathlib
import sys

import boto3
from moto.server import ThreadedMotoServer


def main():
    folder = pathlib.Path(sys.argv[1])
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=endpoint, **keys)
    s3.create_bucket(Bucket="microscopy")
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        s3.upload_file(str(file), "microscopy", file.relative_to(folder).as_posix())
    print(endpoint, flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
