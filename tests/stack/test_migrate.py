"""`shopwright migrate` where nothing runs."""

import os
import subprocess
import sys


class TestMigrate:
    def test_says_in_a_line_that_the_shop_is_down(self, tmp_path):
        ran = subprocess.run(
            [sys.executable, "-m", "shopwright.cli", "migrate"],
            env=os.environ | {"SHOPWRIGHT_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=False,
        )

        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr.startswith("Shopwright is down. `shopwright up` starts it")
        assert ran.stderr.count("\n") == 1
