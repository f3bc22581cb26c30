"""Which function answers which method."""

from google.protobuf.descriptor import ServiceDescriptor

from api.grpc import chambers
from api.grpc.call import Methods
from api.grpc.generated.chamberlog.v1 import chambers_pb2

SERVICES: tuple[tuple[ServiceDescriptor, Methods], ...] = (
    (chambers_pb2.DESCRIPTOR.services_by_name["Chambers"], chambers.METHODS),
)
