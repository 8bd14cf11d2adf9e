"""Certificates of tests, by openssl."""

import subprocess


def make_certificate(folder, name, *extra):
    """`name`.pem and `name`.key, its own authority unless `extra` says another."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}", "-days", "2", *extra], cwd=folder,
                   check=True, capture_output=True, timeout=60)


def make_local_certificate(folder, name="server"):
    """One for 127.0.0.1, which is its own authority."""
    make_certificate(folder, name, "-addext", "subjectAltName=IP:127.0.0.1")


def make_family(folder):
    """`ca`; `server`, who is 127.0.0.1, and the client `ann` by it; and a `stranger`."""
    make_certificate(folder, "ca")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE")
    make_certificate(folder, "server", *signed, "-addext", "subjectAltName=IP:127.0.0.1")
    make_certificate(folder, "ann", *signed)
    make_certificate(folder, "stranger")
