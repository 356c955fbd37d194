"""``python -m gijit``: see :mod:`gijit._cli`."""

import sys

from ._cli import main

sys.exit(main())
