"""Computes the digest of a certificate of `boss-ingest verify` with Python's own JSON and SHA-256.

Usage: check_certificate.py CERTIFICATE
"""

import hashlib
import json
import sys


def main(path):
    with open(path, encoding="utf-8") as file:
        certificate = json.load(file)
    named = certificate.pop("sha256")
    text = json.dumps(certificate, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    if digest != named:
        sys.exit(f"the digest is {digest}, the certificate names {named}")
    print(f"{len(certificate['blocks'])} blocks, equal: {certificate['equal']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
