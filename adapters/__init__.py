"""One file or folder per technology; none imports another."""
