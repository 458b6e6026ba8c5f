"""Errors as docs/protocol.md says they come: a Status in a trailer, an ErrorDetail in that."""

import grpc


def failure(api, call):
    """The gRPC status and the ErrorDetail of a call that must fail."""
    try:
        result = call()
    except grpc.RpcError as error:
        return error.code(), detail_of(api, error)
    raise AssertionError("it did not fail: %s" % result)


def detail_of(api, error):
    trailers = dict(error.trailing_metadata())
    status = api.message("Status").FromString(trailers["grpc-status-details-bin"])
    assert status.code == error.code().value[0]
    (packed,) = status.details
    assert packed.type_url == "type.googleapis.com/logstore.v1.ErrorDetail"
    detail = api.message("ErrorDetail").FromString(packed.value)
    assert detail.message == error.details()
    return detail
