-- The trace context of a chamber's enrolment (W3C traceparent): each of its rounds names it. NULL = nobody traced it.
ALTER TABLE chamber ADD COLUMN enrolment_trace text;
