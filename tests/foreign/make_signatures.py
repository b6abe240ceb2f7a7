"""Signs fixed requests with botocore and writes them to tests/data/vectors/signatures.json.

The unit tests of `src/boss/sign.rs` sign the same requests and must get the same headers; those of `src/server/sigv4` must find
botocore's signatures right.
Run with any Python that has botocore: python tests/foreign/make_signatures.py
"""

import datetime
import json
import pathlib

import botocore
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

NOW = datetime.datetime(2021, 5, 3, 12, 34, 56)
KEYS = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}

OBJECT_HEADERS = {
    "x-amz-acl": "private",
    "x-amz-storage-class": "STANDARD",
    "x-amz-sdk-checksum-algorithm": "CRC32C",
    "x-amz-checksum-crc32c": "4waSgw==",
    "x-amz-meta-message_id": "5fea7756-0ea4-451a-a703-a558b933e274",
    "x-amz-meta-receipt_handle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a+/=",
    "x-amz-meta-metadata": '{"chunk_key":"a&1&4&5&6","ingest_job":7,"parameters":{"resource":{"boss_key":"c&e&ch"}}}',
}
QUEUE = "https://queue.amazonaws.com/123456789012/boss-upload-7"

CASES = [
    {
        "name": "a tile whose key has &",
        "service": "s3",
        "method": "PUT",
        "url": "https://s3.us-east-1.amazonaws.com/tiles.theboss.io/bef1d7ef090fff3d43ffdffdc222a6f1%264%265%266%260",
        "headers": OBJECT_HEADERS,
        "body": "123456789",
    },
    {
        "name": "a session token, a port, and other characters in the key",
        "service": "s3",
        "method": "PUT",
        "url": "https://127.0.0.1:9000/ingest.boss/a%20b%2Bc~d/%C3%BC%2526",
        "headers": OBJECT_HEADERS | {"x-amz-meta-metadata": "{ \"two  blanks\" :  1 }"},
        "body": "",
        "security_token": "FwoGZXIvYXdzEBYaDExample//token==",
    },
    {
        "name": "receiving messages",
        "service": "sqs",
        "method": "POST",
        "url": "https://sqs.us-east-1.amazonaws.com/",
        "headers": {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.ReceiveMessage"},
        "body": json.dumps({"QueueUrl": QUEUE, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}),
    },
    {
        "name": "deleting messages at another port with a session token",
        "service": "sqs",
        "method": "POST",
        "url": "http://127.0.0.1:9324/",
        "headers": {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.DeleteMessageBatch"},
        "body": json.dumps({"QueueUrl": QUEUE, "Entries": [{"Id": "0", "ReceiptHandle": "r&1"}]}),
        "security_token": "FwoGZXIvYXdzEBYaDExample//token==",
    },
]


# What other programs send and our client does not; only the local Boss, which checks signatures, has to know it.
OTHER_CASES = [
    {
        "name": "an object whose bytes are signed, as boto3 sends it over http",
        "service": "s3",
        "method": "PUT",
        "url": "http://127.0.0.1:8090/tiles.boss-local/bef1d7ef090fff3d43ffdffdc222a6f1%264%265%266%260",
        "headers": {
            "x-amz-acl": "private",
            "x-amz-checksum-crc32": "y/Q5Jg==",
            "x-amz-sdk-checksum-algorithm": "CRC32",
            "x-amz-meta-metadata": '{"chunk_key":"a&1&4&5&6","ingest_job":7}',
        },
        "body": "123456789",
        "signs_body": True,
    },
    {
        "name": "parameters out of order, one without a value, and a header's outer blanks",
        "service": "s3",
        "method": "GET",
        "url": "http://127.0.0.1:8090/tiles.boss-local/a%20b?x-id=GetObject&acl&partNumber=2&a=%2Fx",
        "headers": {"x-amz-meta-metadata": "  two   blanks  "},
        "body": "",
    },
    {
        "name": "a message to the queue's own path",
        "service": "sqs",
        "method": "POST",
        "url": "http://127.0.0.1:8090/000000000000/boss-local-7-index",
        "headers": {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage"},
        "body": json.dumps({"QueueUrl": QUEUE, "MessageBody": "\u00fc & {\"a\": 1}"}),
    },
    {
        "name": "a form of the older protocol",
        "service": "sqs",
        "method": "POST",
        "url": "http://127.0.0.1:8090/",
        "headers": {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
        "body": "Action=ReceiveMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Fh%2Fq",
    },
]


def sign(case):
    """The headers that botocore adds to the request."""
    credentials = Credentials(KEYS["access_key"], KEYS["secret_key"], case.get("security_token"))
    request = AWSRequest(case["method"], case["url"], dict(case["headers"]), case["body"].encode())
    request.context["client_config"] = Config(s3={"payload_signing_enabled": case.get("signs_body", False)})
    if not case.get("signs_body"):
        request.context["checksum"] = {"request_algorithm": {"in": "header", "name": "x-amz-checksum-crc32c"}}
    request.context["timestamp"] = NOW.strftime("%Y%m%dT%H%M%SZ")
    auth = botocore.auth.S3SigV4Auth if case["service"] == "s3" else botocore.auth.SigV4Auth
    auth(credentials, case["service"], "us-east-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items() if name not in case["headers"]}


def main():
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: NOW
    vectors = {
        "made_by": f"botocore {botocore.__version__}, tests/foreign/make_signatures.py",
        "unix_time": int(NOW.replace(tzinfo=datetime.timezone.utc).timestamp()),
        "credentials": KEYS,
        "cases": [case | {"signed": sign(case)} for case in CASES],
        "other_cases": [case | {"signed": sign(case)} for case in OTHER_CASES],
    }
    path = pathlib.Path(__file__).parent.parent / "data" / "vectors" / "signatures.json"
    path.write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
