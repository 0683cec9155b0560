"""Freed memory is kept for the tensors that follow.

glibc hands memory above some size back to Linux as soon as it is freed, and every page of the next tensor is then
faulted in and cleared anew: up to a third of the time of a sampler, whose tensors are the same at each step.
"""

import ctypes
import sys
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
LARGEST, KEPT = 2**25, 2**28
"""Bytes: allocations up to the first, which is glibc's limit, are kept, as much as the second of free memory."""


@cache
def keep_freed() -> bool:
    """Says so to glibc, once for the whole process; other allocators are left as they are.

    Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, LARGEST) and mallopt(_M_TRIM_THRESHOLD, KEPT))
