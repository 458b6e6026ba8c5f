"""The services by what the server itself tells of them: no file is needed."""

import importlib
import os

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from proto_files import compile_protos

SERVICES = ["LogService", "AdminService"]


class ApiByReflection:
    def __init__(self, channel):
        compile_protos(os.path.dirname(os.path.abspath(__file__)), ["reflection.proto"])
        self._protocol = importlib.import_module("reflection_pb2")
        stub = importlib.import_module("reflection_pb2_grpc").ServerReflectionStub(channel)
        self._ask = stub.ServerReflectionInfo
        self._channel = channel
        names = self._answer(list_services="").list_services_response.service
        self.services = [service.name for service in names]
        self._pool = descriptor_pool.DescriptorPool()
        self._added = set()
        for name in ["logstore.v1.%s" % service for service in SERVICES] + ["logstore.v1.Status"]:
            self._add(self._files(file_containing_symbol=name))
        self._factory = message_factory.MessageFactory(self._pool)

    def message(self, name):
        return self._factory.GetPrototype(self._pool.FindMessageTypeByName("logstore.v1.%s" % name))

    def method(self, service, name):
        found = self._pool.FindServiceByName("logstore.v1.%s" % service).FindMethodByName(name)
        proto = descriptor_pb2.MethodDescriptorProto()
        found.CopyToProto(proto)
        kind = "%s_%s" % tuple("stream" if stream else "unary" for stream in (proto.client_streaming, proto.server_streaming))
        return getattr(self._channel, kind)(
            "/logstore.v1.%s/%s" % (service, name),
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=self._factory.GetPrototype(found.output_type).FromString,
        )

    def _answer(self, **question):
        request = self._protocol.ServerReflectionRequest(**question)
        (answer,) = self._ask(iter([request]))
        assert not answer.HasField("error_response"), answer.error_response
        return answer

    def _files(self, **question):
        answer = self._answer(**question).file_descriptor_response
        return [descriptor_pb2.FileDescriptorProto.FromString(file) for file in answer.file_descriptor_proto]

    def _add(self, files):
        """What a file imports goes before it; a server may tell of imports or wait to be asked."""
        told = {file.name: file for file in files}
        for file in files:
            if file.name in self._added:
                continue
            for imported in file.dependency:
                if imported not in self._added:
                    self._add([told[imported]] if imported in told else self._files(file_by_filename=imported))
            if file.name not in self._added:
                self._added.add(file.name)
                self._pool.Add(file)
