"""The quantities of a chamber, their aliases, and which of them are switched off."""

from api.entity_inputs import DetectorPatch
from api.grpc.asked import changes
from api.grpc.call import Call, Methods
from api.grpc.generated.chamberlog.v1 import detectors_pb2 as pb
from collector.ports import DetectorRecord


async def list_detectors(call: Call, request: pb.ListDetectorsRequest) -> pb.ListDetectorsResponse:
    """The quantities of one chamber, switched-off ones too."""
    found = await call.use.detectors.list(call.organization, await call.chamber(request.chamber_id))
    return pb.ListDetectorsResponse(detectors=[_message(record) for record in found])


async def update_detector(call: Call, request: pb.UpdateDetectorRequest) -> pb.UpdateDetectorResponse:
    """Give a detector an alias, or switch it off or on."""
    chamber_id = await call.chamber(request.chamber_id)
    wish = changes(DetectorPatch, request.detector, request.update_mask).wish()
    record = await call.use.detectors.change(call.organization, chamber_id, request.name, wish)
    return pb.UpdateDetectorResponse(detector=_message(record))


METHODS: Methods = {"ListDetectors": list_detectors, "UpdateDetector": update_detector}


def _message(record: DetectorRecord) -> pb.Detector:
    return pb.Detector(name=record.name, unit=record.unit, alias=record.alias, active=record.active)
