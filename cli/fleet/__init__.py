"""Fleet files: read, checked, compared with what is there, and written."""
