import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Quality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALITY_UNSPECIFIED: _ClassVar[Quality]
    QUALITY_GOOD: _ClassVar[Quality]
    QUALITY_SUSPECT: _ClassVar[Quality]
    QUALITY_BAD: _ClassVar[Quality]
    QUALITY_MISSING: _ClassVar[Quality]

class GapReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GAP_REASON_UNSPECIFIED: _ClassVar[GapReason]
    GAP_REASON_UNREACHABLE: _ClassVar[GapReason]
    GAP_REASON_TIMEOUT: _ClassVar[GapReason]
    GAP_REASON_DENIED: _ClassVar[GapReason]
    GAP_REASON_HTTP_STATUS: _ClassVar[GapReason]
    GAP_REASON_MALFORMED: _ClassVar[GapReason]
    GAP_REASON_TOO_LARGE: _ClassVar[GapReason]
    GAP_REASON_BLOCKED: _ClassVar[GapReason]
    GAP_REASON_UNAUTHORIZED: _ClassVar[GapReason]
    GAP_REASON_MISCONFIGURED: _ClassVar[GapReason]
    GAP_REASON_OVERRUN: _ClassVar[GapReason]
    GAP_REASON_MISSED: _ClassVar[GapReason]
    GAP_REASON_PAUSED: _ClassVar[GapReason]
    GAP_REASON_OVERFLOW: _ClassVar[GapReason]
    GAP_REASON_LOST: _ClassVar[GapReason]
QUALITY_UNSPECIFIED: Quality
QUALITY_GOOD: Quality
QUALITY_SUSPECT: Quality
QUALITY_BAD: Quality
QUALITY_MISSING: Quality
GAP_REASON_UNSPECIFIED: GapReason
GAP_REASON_UNREACHABLE: GapReason
GAP_REASON_TIMEOUT: GapReason
GAP_REASON_DENIED: GapReason
GAP_REASON_HTTP_STATUS: GapReason
GAP_REASON_MALFORMED: GapReason
GAP_REASON_TOO_LARGE: GapReason
GAP_REASON_BLOCKED: GapReason
GAP_REASON_UNAUTHORIZED: GapReason
GAP_REASON_MISCONFIGURED: GapReason
GAP_REASON_OVERRUN: GapReason
GAP_REASON_MISSED: GapReason
GAP_REASON_PAUSED: GapReason
GAP_REASON_OVERFLOW: GapReason
GAP_REASON_LOST: GapReason

class Measurement(_message.Message):
    __slots__ = ("value", "unit", "quality")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    value: float
    unit: str
    quality: Quality
    def __init__(self, value: _Optional[float] = ..., unit: _Optional[str] = ..., quality: _Optional[_Union[Quality, str]] = ...) -> None: ...

class Reading(_message.Message):
    __slots__ = ("slot", "requested_at", "received_at", "observed_at", "stored_at", "measurements")
    class MeasurementsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Measurement
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Measurement, _Mapping]] = ...) -> None: ...
    SLOT_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_AT_FIELD_NUMBER: _ClassVar[int]
    STORED_AT_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    slot: _timestamp_pb2.Timestamp
    requested_at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    observed_at: _timestamp_pb2.Timestamp
    stored_at: _timestamp_pb2.Timestamp
    measurements: _containers.MessageMap[str, Measurement]
    def __init__(self, slot: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., requested_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., observed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stored_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., measurements: _Optional[_Mapping[str, Measurement]] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("first_slot", "last_slot", "slots", "reason", "detail", "by", "until", "recorded_at")
    FIRST_SLOT_FIELD_NUMBER: _ClassVar[int]
    LAST_SLOT_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    first_slot: _timestamp_pb2.Timestamp
    last_slot: _timestamp_pb2.Timestamp
    slots: int
    reason: GapReason
    detail: str
    by: str
    until: _timestamp_pb2.Timestamp
    recorded_at: _timestamp_pb2.Timestamp
    def __init__(self, first_slot: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_slot: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[int] = ..., reason: _Optional[_Union[GapReason, str]] = ..., detail: _Optional[str] = ..., by: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
