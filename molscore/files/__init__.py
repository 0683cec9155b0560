"""Files that users are given: written whole or not at all, by one run at a time. The standard library alone."""
