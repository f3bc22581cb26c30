from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Detector(_message.Message):
    __slots__ = ("name", "unit", "alias", "active")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    name: str
    unit: str
    alias: str
    active: bool
    def __init__(self, name: _Optional[str] = ..., unit: _Optional[str] = ..., alias: _Optional[str] = ..., active: _Optional[bool] = ...) -> None: ...

class ListDetectorsRequest(_message.Message):
    __slots__ = ("chamber_id",)
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    def __init__(self, chamber_id: _Optional[str] = ...) -> None: ...

class ListDetectorsResponse(_message.Message):
    __slots__ = ("detectors",)
    DETECTORS_FIELD_NUMBER: _ClassVar[int]
    detectors: _containers.RepeatedCompositeFieldContainer[Detector]
    def __init__(self, detectors: _Optional[_Iterable[_Union[Detector, _Mapping]]] = ...) -> None: ...

class DetectorSettings(_message.Message):
    __slots__ = ("alias", "active")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    alias: str
    active: bool
    def __init__(self, alias: _Optional[str] = ..., active: _Optional[bool] = ...) -> None: ...

class UpdateDetectorRequest(_message.Message):
    __slots__ = ("chamber_id", "name", "detector", "update_mask")
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETECTOR_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    name: str
    detector: DetectorSettings
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, chamber_id: _Optional[str] = ..., name: _Optional[str] = ..., detector: _Optional[_Union[DetectorSettings, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateDetectorResponse(_message.Message):
    __slots__ = ("detector",)
    DETECTOR_FIELD_NUMBER: _ClassVar[int]
    detector: Detector
    def __init__(self, detector: _Optional[_Union[Detector, _Mapping]] = ...) -> None: ...
