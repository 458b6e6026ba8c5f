"""
A client that knows nothing but docs/protocol.md and docs/format/record-batch.md, and what it finds out about a server.

client.py ADDRESS files DIRECTORY     the services by the .proto files of a directory
client.py ADDRESS reflection          the services by what the server tells

Ends with 0 when the server did all that the page promises; with 3 when it does not tell of its services.
"""

import json
import sys

import grpc
import scenario
from api_by_files import ApiByFiles
from api_by_reflection import ApiByReflection


def main(address, way, *rest):
    with grpc.insecure_channel(address) as channel:
        try:
            api = ApiByFiles(channel, *rest) if way == "files" else ApiByReflection(channel)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNIMPLEMENTED:
                return 3
            raise
        print(json.dumps(scenario.run(api, "python-" + way)))
    return 0


sys.exit(main(*sys.argv[1:]))
