"""Compiles .proto files with Debian's protoc, whose age is no hindrance."""

import os
import re
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc


def compile_protos(directory, names):
    """Makes the modules of the files importable."""
    source, out = tempfile.mkdtemp(), tempfile.mkdtemp()
    for name in names:
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            text = file.read()
        os.makedirs(os.path.dirname(os.path.join(source, name)), exist_ok=True)
        with open(os.path.join(source, name), "w", encoding="utf-8") as file:
            file.write(without_optional(text))
    known = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
    args = ["-I" + source, "-I" + known, "--python_out=" + out, "--grpc_python_out=" + out]
    assert protoc.main(["protoc", *args, *names]) == 0
    sys.path.insert(0, out)


def without_optional(text):
    """As docs/protocol.md has it for compilers before 3.15: a field of its own oneof is the same thing."""
    return re.sub(r"^(\s*)optional (\S+ (\S+) = \d+;)", r"\1oneof _\3 { \2 }", text, flags=re.M)
