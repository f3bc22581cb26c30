"""What a span says of a statement, by OpenTelemetry's conventions for database clients, whoever opens it."""


def sql_attributes(summary: str) -> dict[str, str]:
    """Attributes of a statement.

    Args:
        summary: the operation, then the tables: `INSERT reading gap`; of low cardinality.
    """
    operation, *tables = summary.split(" ")
    found = {"db.system.name": "postgresql", "db.operation.name": operation, "db.query.summary": summary}
    return found | ({"db.collection.name": tables[0]} if tables else {})
