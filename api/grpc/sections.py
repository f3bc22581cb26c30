"""The sections of an organization, and pausing and resuming one as a whole."""

from uuid import uuid4

from api.entity_inputs import SectionBody, SectionPatch
from api.grpc.asked import changes, checked, request_id_of, versions_of
from api.grpc.call import Call, Methods, operation_id
from api.grpc.generated.chamberlog.v1 import sections_pb2 as pb
from api.grpc.told import moment, moment_or_none, number_of
from api.inputs import PageQuery, PauseBody
from collector.domain.section_order import OrderKind, SectionOperation, SectionOrder
from collector.ports import SectionRecord
from collector.usecases.section_control import Begun


async def list_sections(call: Call, request: pb.ListSectionsRequest) -> pb.ListSectionsResponse:
    """The sections of the organization by id, closed ones too."""
    query, only = checked(PageQuery, request), call.narrowed(None)
    page = await call.use.sections.list(call.organization, limit=query.limit, cursor=query.cursor, only=only)
    shown = [_message(record) for record in page.items]
    return pb.ListSectionsResponse(sections=shown, next_cursor=page.next_cursor)


async def get_section(call: Call, request: pb.GetSectionRequest) -> pb.GetSectionResponse:
    """One section."""
    section_id = await call.section(request.section_id)
    return pb.GetSectionResponse(section=_message(await call.use.sections.show(call.organization, section_id)))


async def create_section(call: Call, request: pb.CreateSectionRequest) -> pb.CreateSectionResponse:
    """Make a section."""
    body = checked(SectionBody, request)
    made = await call.use.sections.add(body.section(call.organization), body.model_fields_set)
    return pb.CreateSectionResponse(section=_message(made.thing), created=made.created)


async def update_section(call: Call, request: pb.UpdateSectionRequest) -> pb.UpdateSectionResponse:
    """Change fields of a section, or close it."""
    section_id, versions = await call.section(request.section_id), versions_of(request)
    patch = changes(SectionPatch, request.section, request.update_mask)
    changed = await call.use.sections.change(call.organization, section_id, versions, patch.altered)
    return pb.UpdateSectionResponse(section=_message(changed))


async def pause_section(call: Call, request: pb.PauseSectionRequest) -> pb.PauseSectionResponse:
    """Pause every chamber of the section, in the background."""
    section_id, body = await call.section(request.section_id), checked(PauseBody, request, "section_id", "request_id")
    order = SectionOrder(
        organization=call.organization,
        section=section_id,
        operation_id=request_id_of(request.request_id) or uuid4().hex,
        kind=OrderKind.PAUSE,
        by=call.caller.subject,
        reason=body.reason,
        until_ms=body.until_ms(),
    )
    begun = await call.use.section_control.tell(call.caller, order)
    return pb.PauseSectionResponse(operation=_operation(begun.operation), unreached=_unreached(begun))


async def resume_section(call: Call, request: pb.ResumeSectionRequest) -> pb.ResumeSectionResponse:
    """Resume every chamber of the section, in the background, whatever paused it."""
    order = SectionOrder(
        organization=call.organization,
        section=await call.section(request.section_id),
        operation_id=request_id_of(request.request_id) or uuid4().hex,
        kind=OrderKind.RESUME,
        by=call.caller.subject,
    )
    begun = await call.use.section_control.tell(call.caller, order)
    return pb.ResumeSectionResponse(operation=_operation(begun.operation), unreached=_unreached(begun))


async def get_operation(call: Call, request: pb.GetOperationRequest) -> pb.GetOperationResponse:
    """How far an operation is."""
    section_id, wanted = await call.section(request.section_id), operation_id(request.operation_id)
    operation = await call.use.section_control.show(call.organization, section_id, wanted)
    return pb.GetOperationResponse(operation=_operation(operation))


METHODS: Methods = {
    "ListSections": list_sections,
    "GetSection": get_section,
    "CreateSection": create_section,
    "UpdateSection": update_section,
    "PauseSection": pause_section,
    "ResumeSection": resume_section,
    "GetOperation": get_operation,
}


def _message(record: SectionRecord) -> pb.Section:
    section = record.section
    return pb.Section(
        id=section.id,
        name=section.name,
        description=section.description,
        active=section.active,
        chambers=record.chambers,
        version=section.version,
        created_at=moment(section.created_ms),
        updated_at=moment(section.updated_ms),
    )


def _operation(operation: SectionOperation) -> pb.Operation:
    return pb.Operation(
        id=operation.id,
        section=operation.section,
        kind=number_of(pb.OperationKind, operation.kind),
        state=number_of(pb.OperationState, operation.state),
        total=operation.total,
        done=operation.done,
        failed=operation.failed,
        paused=operation.paused,
        reason=operation.reason,
        until=moment_or_none(operation.until_ms),
        started_at=moment(operation.started_ms),
        ended_at=moment_or_none(operation.ended_ms),
    )


def _unreached(begun: Begun) -> list[pb.Unreached]:
    return [pb.Unreached(chamber=left.chamber_id, problem=left.problem) for left in begun.unreached]
