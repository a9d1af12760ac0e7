"""numba, imported without SciPy: it would only look at its version, for a quarter of a second, and no kernel needs it."""

from __future__ import annotations

import sys

_modules = vars(sys)["modules"]
_is_ours = "scipy" not in _modules
if _is_ours:
    _modules["scipy"] = None  # as if it were not installed
try:
    import numba
finally:
    if _is_ours:
        del _modules["scipy"]

__all__ = ["numba"]
