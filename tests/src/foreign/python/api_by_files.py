"""The services by way of the .proto files, compiled when the client starts."""

import importlib

from proto_files import compile_protos

NAMES = ["log", "admin", "error"]


class ApiByFiles:
    def __init__(self, channel, directory):
        compile_protos(directory, ["logstore/v1/%s.proto" % name for name in NAMES])
        self._modules = [importlib.import_module("logstore.v1.%s_pb2" % name) for name in NAMES]
        log = importlib.import_module("logstore.v1.log_pb2_grpc").LogServiceStub(channel)
        admin = importlib.import_module("logstore.v1.admin_pb2_grpc").AdminServiceStub(channel)
        self._stubs = {"LogService": log, "AdminService": admin}

    def message(self, name):
        return next(getattr(module, name) for module in self._modules if hasattr(module, name))

    def method(self, service, name):
        return getattr(self._stubs[service], name)
