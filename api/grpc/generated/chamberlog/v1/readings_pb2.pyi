import datetime

from api.grpc.generated.chamberlog.v1 import chambers_pb2 as _chambers_pb2
from api.grpc.generated.chamberlog.v1 import ledger_pb2 as _ledger_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListReadingsRequest(_message.Message):
    __slots__ = ("chamber_id", "from_time", "to_time", "detector", "points", "limit", "cursor")
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    DETECTOR_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    detector: str
    points: int
    limit: int
    cursor: str
    def __init__(self, chamber_id: _Optional[str] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., detector: _Optional[str] = ..., points: _Optional[int] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class Bin(_message.Message):
    __slots__ = ("start", "min", "mean", "max", "count", "worst_quality", "gap_reason")
    START_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    WORST_QUALITY_FIELD_NUMBER: _ClassVar[int]
    GAP_REASON_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    min: float
    mean: float
    max: float
    count: int
    worst_quality: _ledger_pb2.Quality
    gap_reason: _ledger_pb2.GapReason
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min: _Optional[float] = ..., mean: _Optional[float] = ..., max: _Optional[float] = ..., count: _Optional[int] = ..., worst_quality: _Optional[_Union[_ledger_pb2.Quality, str]] = ..., gap_reason: _Optional[_Union[_ledger_pb2.GapReason, str]] = ...) -> None: ...

class ListReadingsResponse(_message.Message):
    __slots__ = ("readings", "bins", "next_cursor")
    READINGS_FIELD_NUMBER: _ClassVar[int]
    BINS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    readings: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Reading]
    bins: _containers.RepeatedCompositeFieldContainer[Bin]
    next_cursor: str
    def __init__(self, readings: _Optional[_Iterable[_Union[_ledger_pb2.Reading, _Mapping]]] = ..., bins: _Optional[_Iterable[_Union[Bin, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class Latest(_message.Message):
    __slots__ = ("chamber", "reading")
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    chamber: str
    reading: _ledger_pb2.Reading
    def __init__(self, chamber: _Optional[str] = ..., reading: _Optional[_Union[_ledger_pb2.Reading, _Mapping]] = ...) -> None: ...

class GetLatestRequest(_message.Message):
    __slots__ = ("chamber_id",)
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    def __init__(self, chamber_id: _Optional[str] = ...) -> None: ...

class GetLatestResponse(_message.Message):
    __slots__ = ("latest",)
    LATEST_FIELD_NUMBER: _ClassVar[int]
    latest: Latest
    def __init__(self, latest: _Optional[_Union[Latest, _Mapping]] = ...) -> None: ...

class ListLatestRequest(_message.Message):
    __slots__ = ("section", "status", "q", "limit", "cursor")
    SECTION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    Q_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    section: str
    status: _chambers_pb2.ChamberStatus
    q: str
    limit: int
    cursor: str
    def __init__(self, section: _Optional[str] = ..., status: _Optional[_Union[_chambers_pb2.ChamberStatus, str]] = ..., q: _Optional[str] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListLatestResponse(_message.Message):
    __slots__ = ("latest", "next_cursor")
    LATEST_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    latest: _containers.RepeatedCompositeFieldContainer[Latest]
    next_cursor: str
    def __init__(self, latest: _Optional[_Iterable[_Union[Latest, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class ListGapsRequest(_message.Message):
    __slots__ = ("chamber_id", "from_time", "to_time", "limit", "cursor")
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    limit: int
    cursor: str
    def __init__(self, chamber_id: _Optional[str] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListGapsResponse(_message.Message):
    __slots__ = ("gaps", "next_cursor")
    GAPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    gaps: _containers.RepeatedCompositeFieldContainer[_ledger_pb2.Gap]
    next_cursor: str
    def __init__(self, gaps: _Optional[_Iterable[_Union[_ledger_pb2.Gap, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class GapCount(_message.Message):
    __slots__ = ("reason", "slots")
    REASON_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    reason: _ledger_pb2.GapReason
    slots: int
    def __init__(self, reason: _Optional[_Union[_ledger_pb2.GapReason, str]] = ..., slots: _Optional[int] = ...) -> None: ...

class Offender(_message.Message):
    __slots__ = ("chamber", "unaccounted", "overdue")
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    UNACCOUNTED_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    chamber: str
    unaccounted: int
    overdue: int
    def __init__(self, chamber: _Optional[str] = ..., unaccounted: _Optional[int] = ..., overdue: _Optional[int] = ...) -> None: ...

class Audit(_message.Message):
    __slots__ = ("from_time", "to_time", "chambers", "expected", "stored", "gaps", "unaccounted", "overdue", "pending", "retained_from", "offenders")
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    CHAMBERS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    UNACCOUNTED_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    RETAINED_FROM_FIELD_NUMBER: _ClassVar[int]
    OFFENDERS_FIELD_NUMBER: _ClassVar[int]
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    chambers: int
    expected: int
    stored: int
    gaps: _containers.RepeatedCompositeFieldContainer[GapCount]
    unaccounted: int
    overdue: int
    pending: int
    retained_from: _timestamp_pb2.Timestamp
    offenders: _containers.RepeatedCompositeFieldContainer[Offender]
    def __init__(self, from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., chambers: _Optional[int] = ..., expected: _Optional[int] = ..., stored: _Optional[int] = ..., gaps: _Optional[_Iterable[_Union[GapCount, _Mapping]]] = ..., unaccounted: _Optional[int] = ..., overdue: _Optional[int] = ..., pending: _Optional[int] = ..., retained_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., offenders: _Optional[_Iterable[_Union[Offender, _Mapping]]] = ...) -> None: ...

class AuditChamberRequest(_message.Message):
    __slots__ = ("chamber_id", "from_time", "to_time")
    CHAMBER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    chamber_id: str
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    def __init__(self, chamber_id: _Optional[str] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AuditChamberResponse(_message.Message):
    __slots__ = ("audit",)
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    audit: Audit
    def __init__(self, audit: _Optional[_Union[Audit, _Mapping]] = ...) -> None: ...

class AuditFleetRequest(_message.Message):
    __slots__ = ("from_time", "to_time")
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    from_time: _timestamp_pb2.Timestamp
    to_time: _timestamp_pb2.Timestamp
    def __init__(self, from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AuditFleetResponse(_message.Message):
    __slots__ = ("audit",)
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    audit: Audit
    def __init__(self, audit: _Optional[_Union[Audit, _Mapping]] = ...) -> None: ...

class WatchReadingsRequest(_message.Message):
    __slots__ = ("chamber", "section", "after")
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    chamber: str
    section: str
    after: str
    def __init__(self, chamber: _Optional[str] = ..., section: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class WatchReadingsResponse(_message.Message):
    __slots__ = ("event_id", "reading", "gap", "dropped", "interrupted", "resumed", "nothing_new")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    INTERRUPTED_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    NOTHING_NEW_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    reading: LiveReading
    gap: LiveGap
    dropped: Dropped
    interrupted: Interrupted
    resumed: Resumed
    nothing_new: NothingNew
    def __init__(self, event_id: _Optional[str] = ..., reading: _Optional[_Union[LiveReading, _Mapping]] = ..., gap: _Optional[_Union[LiveGap, _Mapping]] = ..., dropped: _Optional[_Union[Dropped, _Mapping]] = ..., interrupted: _Optional[_Union[Interrupted, _Mapping]] = ..., resumed: _Optional[_Union[Resumed, _Mapping]] = ..., nothing_new: _Optional[_Union[NothingNew, _Mapping]] = ...) -> None: ...

class LiveReading(_message.Message):
    __slots__ = ("chamber", "section", "reading")
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    chamber: str
    section: str
    reading: _ledger_pb2.Reading
    def __init__(self, chamber: _Optional[str] = ..., section: _Optional[str] = ..., reading: _Optional[_Union[_ledger_pb2.Reading, _Mapping]] = ...) -> None: ...

class LiveGap(_message.Message):
    __slots__ = ("chamber", "section", "gap")
    CHAMBER_FIELD_NUMBER: _ClassVar[int]
    SECTION_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    chamber: str
    section: str
    gap: _ledger_pb2.Gap
    def __init__(self, chamber: _Optional[str] = ..., section: _Optional[str] = ..., gap: _Optional[_Union[_ledger_pb2.Gap, _Mapping]] = ...) -> None: ...

class Dropped(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: int
    def __init__(self, events: _Optional[int] = ...) -> None: ...

class Interrupted(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Resumed(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NothingNew(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
