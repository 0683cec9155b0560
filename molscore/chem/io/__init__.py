"""Files in and out: every reader and every writer of molecules."""
