"""What a benchmark tells whoever waits for it: on standard error, each line with the seconds since the beginning."""

import sys
import time


class Progress:
    """Prints lines with the time that has passed."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def __call__(self, words: str) -> None:
        sys.stderr.write(f"{self.seconds:7.1f} s  {words}\n")
        sys.stderr.flush()
