"""Which functions answer which service."""

from google.protobuf.descriptor import ServiceDescriptor

from api.grpc import batches, chambers, detectors, organizations, readings, sections, users
from api.grpc.call import Methods
from api.grpc.generated.chamberlog.v1 import (
    batches_pb2,
    chambers_pb2,
    detectors_pb2,
    organizations_pb2,
    readings_pb2,
    sections_pb2,
    users_pb2,
)

SERVICES: tuple[tuple[ServiceDescriptor, Methods], ...] = (
    (users_pb2.DESCRIPTOR.services_by_name["Users"], users.METHODS),
    (organizations_pb2.DESCRIPTOR.services_by_name["Organizations"], organizations.METHODS),
    (sections_pb2.DESCRIPTOR.services_by_name["Sections"], sections.METHODS),
    (batches_pb2.DESCRIPTOR.services_by_name["Batches"], batches.METHODS),
    (chambers_pb2.DESCRIPTOR.services_by_name["Chambers"], chambers.METHODS),
    (detectors_pb2.DESCRIPTOR.services_by_name["Detectors"], detectors.METHODS),
    (readings_pb2.DESCRIPTOR.services_by_name["Readings"], readings.METHODS),
)
