"""``python -m maerisim``: the same as the command ``maerisim``."""

from maerisim.cli import main

if __name__ == "__main__":
    main()
