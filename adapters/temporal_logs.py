"""What Temporal's core logs, by the loggers of this process."""

import logging

from temporalio.runtime import LogForwardingConfig, LoggingConfig, TelemetryFilter

NAME = "temporalio.core"


def core_logging() -> LoggingConfig:
    """For `temporalio.runtime.TelemetryConfig`: warnings of the core go through `logging` as every other line does.

    Its own fields become fields of the line: `adapters.logs.fields_of`.
    """
    forwarding = LogForwardingConfig(
        logging.getLogger(NAME), prepend_target_on_message=False, append_log_fields_to_message=False
    )
    return LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding)
