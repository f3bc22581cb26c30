import datetime

from api.grpc.generated.chamberlog.v1 import ledger_pb2 as _ledger_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChamberStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHAMBER_STATUS_UNSPECIFIED: _ClassVar[ChamberStatus]
    CHAMBER_STATUS_STARTING: _ClassVar[ChamberStatus]
    CHAMBER_STATUS_COLLECTING: _ClassVar[ChamberStatus]
    CHAMBER_STATUS_FAILING: _ClassVar[ChamberStatus]
    CHAMBER_STATUS_PAUSED: _ClassVar[ChamberStatus]
    CHAMBER_STATUS_STALE: _ClassVar[ChamberStatus]
    CHAMBER_STATUS_RETIRING: _ClassVar[ChamberStatus]
    CHAMBER_STATUS_RETIRED: _ClassVar[ChamberStatus]
CHAMBER_STATUS_UNSPECIFIED: ChamberStatus
CHAMBER_STATUS_STARTING: ChamberStatus
CHAMBER_STATUS_COLLECTING: ChamberStatus
CHAMBER_STATUS_FAILING: ChamberStatus
CHAMBER_STATUS_PAUSED: ChamberStatus
CHAMBER_STATUS_STALE: ChamberStatus
CHAMBER_STATUS_RETIRING: ChamberStatus
CHAMBER_STATUS_RETIRED: ChamberStatus

class Pause(_message.Message):
    __slots__ = ("since", "reason", "by", "until")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    since: _timestamp_pb2.Timestamp
    reason: str
    by: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., by: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Chamber(_message.Message):
    __slots__ = ("id", "name", "organization", "section", "url", "profile", "profile_version", "interval", "timeout", "round_span", "aligned", "labels", "secret_ref", "verify_tls", "timezone", "serial_number", "version", "status", "next_slot", "last_reading", "paused")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_VERSION_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ROUND_SPAN_FIELD_NUMBER: _ClassVar[int]
    ALIGNED_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SECRET_REF_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TLS_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NEXT_SLOT_FIELD_NUMBER: _ClassVar[int]
    LAST_READING_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    organization: str
    section: str
    url: str
    profile: str
    profile_version: str
    interval: _duration_pb2.Duration
    timeout: _duration_pb2.Duration
    round_span: _duration_pb2.Duration
    aligned: bool
    labels: _containers.ScalarMap[str, str]
    secret_ref: str
    verify_tls: bool
    timezone: str
    serial_number: str
    version: int
    status: ChamberStatus
    next_slot: _timestamp_pb2.Timestamp
    last_reading: _timestamp_pb2.Timestamp
    paused: Pause
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., organization: _Optional[str] = ..., section: _Optional[str] = ..., url: _Optional[str] = ..., profile: _Optional[str] = ..., profile_version: _Optional[str] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., round_span: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., aligned: _Optional[bool] = ..., labels: _Optional[_Mapping[str, str]] = ..., secret_ref: _Optional[str] = ..., verify_tls: _Optional[bool] = ..., timezone: _Optional[str] = ..., serial_number: _Optional[str] = ..., version: _Optional[int] = ..., status: _Optional[_Union[ChamberStatus, str]] = ..., next_slot: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_reading: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., paused: _Optional[_Union[Pause, _Mapping]] = ...) -> None: ...

class ListChambersRequest(_message.Message):
    __slots__ = ("section", "status", "q", "limit", "cursor")
    SECTION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    Q_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    section: str
    status: ChamberStatus
    q: str
    limit: int
    cursor: str
    def __init__(self, section: _Optional[str] = ..., status: _Optional[_Union[ChamberStatus, str]] = ..., q: _Optional[str] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListChambersResponse(_message.Message):
    __slots__ = ("chambers", "next_cursor")
    CHAMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    chambers: _containers.RepeatedCompositeFieldContainer[Chamber]
    next_cursor: str
    def __init__(self, chambers: _Optional[_Iterable[_Union[Chamber, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class GetChamberRequest(_message.Message):
    __slots__ = ("chamber_id",)
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    def __init__(self, chamber_id: _Optional[str] = ...) -> None: ...

class GetChamberResponse(_message.Message):
    __slots__ = ("chamber",)
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    chamber: Chamber
    def __init__(self, chamber: _Optional[_Union[Chamber, _Mapping]] = ...) -> None: ...

class EnrolChamberRequest(_message.Message):
    __slots__ = ("id", "url", "profile", "interval", "section", "name", "timeout", "round_span", "aligned", "labels", "secret_ref", "verify_tls", "timezone", "serial_number")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ROUND_SPAN_FIELD_NUMBER: _ClassVar[int]
    ALIGNED_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SECRET_REF_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TLS_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    id: str
    url: str
    profile: str
    interval: _duration_pb2.Duration
    section: str
    name: str
    timeout: _duration_pb2.Duration
    round_span: _duration_pb2.Duration
    aligned: bool
    labels: _containers.ScalarMap[str, str]
    secret_ref: str
    verify_tls: bool
    timezone: str
    serial_number: str
    def __init__(self, id: _Optional[str] = ..., url: _Optional[str] = ..., profile: _Optional[str] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., section: _Optional[str] = ..., name: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., round_span: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., aligned: _Optional[bool] = ..., labels: _Optional[_Mapping[str, str]] = ..., secret_ref: _Optional[str] = ..., verify_tls: _Optional[bool] = ..., timezone: _Optional[str] = ..., serial_number: _Optional[str] = ...) -> None: ...

class EnrolChamberResponse(_message.Message):
    __slots__ = ("chamber", "created")
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    chamber: Chamber
    created: bool
    def __init__(self, chamber: _Optional[_Union[Chamber, _Mapping]] = ..., created: _Optional[bool] = ...) -> None: ...

class ChamberSettings(_message.Message):
    __slots__ = ("url", "profile", "interval", "section", "name", "timeout", "round_span", "aligned", "labels", "secret_ref", "verify_tls", "timezone", "serial_number")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    URL_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ROUND_SPAN_FIELD_NUMBER: _ClassVar[int]
    ALIGNED_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SECRET_REF_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TLS_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    url: str
    profile: str
    interval: _duration_pb2.Duration
    section: str
    name: str
    timeout: _duration_pb2.Duration
    round_span: _duration_pb2.Duration
    aligned: bool
    labels: _containers.ScalarMap[str, str]
    secret_ref: str
    verify_tls: bool
    timezone: str
    serial_number: str
    def __init__(self, url: _Optional[str] = ..., profile: _Optional[str] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., section: _Optional[str] = ..., name: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., round_span: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., aligned: _Optional[bool] = ..., labels: _Optional[_Mapping[str, str]] = ..., secret_ref: _Optional[str] = ..., verify_tls: _Optional[bool] = ..., timezone: _Optional[str] = ..., serial_number: _Optional[str] = ...) -> None: ...

class UpdateChamberRequest(_message.Message):
    __slots__ = ("chamber_id", "chamber", "update_mask", "version", "any_version")
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ANY_VERSION_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    chamber: ChamberSettings
    update_mask: _field_mask_pb2.FieldMask
    version: int
    any_version: bool
    def __init__(self, chamber_id: _Optional[str] = ..., chamber: _Optional[_Union[ChamberSettings, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., version: _Optional[int] = ..., any_version: _Optional[bool] = ...) -> None: ...

class UpdateChamberResponse(_message.Message):
    __slots__ = ("chamber",)
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    chamber: Chamber
    def __init__(self, chamber: _Optional[_Union[Chamber, _Mapping]] = ...) -> None: ...

class PauseChamberRequest(_message.Message):
    __slots__ = ("chamber_id", "reason", "until")
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    reason: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, chamber_id: _Optional[str] = ..., reason: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PauseChamberResponse(_message.Message):
    __slots__ = ("chamber",)
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    chamber: Chamber
    def __init__(self, chamber: _Optional[_Union[Chamber, _Mapping]] = ...) -> None: ...

class ResumeChamberRequest(_message.Message):
    __slots__ = ("chamber_id",)
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    def __init__(self, chamber_id: _Optional[str] = ...) -> None: ...

class ResumeChamberResponse(_message.Message):
    __slots__ = ("chamber",)
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    chamber: Chamber
    def __init__(self, chamber: _Optional[_Union[Chamber, _Mapping]] = ...) -> None: ...

class CollectReadingRequest(_message.Message):
    __slots__ = ("chamber_id", "force", "request_id")
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    force: bool
    request_id: str
    def __init__(self, chamber_id: _Optional[str] = ..., force: _Optional[bool] = ..., request_id: _Optional[str] = ...) -> None: ...

class CollectReadingResponse(_message.Message):
    __slots__ = ("reading", "stored")
    READING_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    reading: _ledger_pb2.Reading
    stored: bool
    def __init__(self, reading: _Optional[_Union[_ledger_pb2.Reading, _Mapping]] = ..., stored: _Optional[bool] = ...) -> None: ...

class RetireChamberRequest(_message.Message):
    __slots__ = ("chamber_id", "reason")
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    reason: str
    def __init__(self, chamber_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RetireChamberResponse(_message.Message):
    __slots__ = ("chamber",)
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    chamber: Chamber
    def __init__(self, chamber: _Optional[_Union[Chamber, _Mapping]] = ...) -> None: ...
