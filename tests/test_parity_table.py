"""The parity table states what its own reference finds: exact fractions, row by row."""

import subprocess
import sys
from pathlib import Path


def test_the_table_is_what_its_reference_finds():
    script = Path(__file__).parent / "parity" / "reference.py"
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
