"""Pictures for the documents: the Web UI, the API and the terminal, of a stack that really runs."""
