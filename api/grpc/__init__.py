"""gRPC in, use cases, gRPC out: the same as the REST API, by proto/chamberlog/v1."""
