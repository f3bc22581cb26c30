"""A receiver of OTLP for the local stack: what a collector and a store of traces are in a deployment."""
