"""``python -m maerisim``: the same as the command ``maerisim``.

Python would look for modules in the working directory first, where there may be anything. A checkout that is run where it lies
is found in there, and stays.
"""

import os
import sys

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH120, PTH100 - no imports yet

if not sys.flags.safe_path and os.path.abspath(sys.path[0]) != _HERE:  # noqa: PTH100
    del sys.path[0]

from maerisim.cli import main

if __name__ == "__main__":
    main()
