"""Puts the helpers of the Python tests on the import path."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "pygobject"), str(HERE / "corpus")]
