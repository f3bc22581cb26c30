"""A program that says when Ctrl-C has reached it: for the test of commands that run another program."""

import sys
import time

if __name__ == "__main__":
    try:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        time.sleep(20)
    except KeyboardInterrupt:
        time.sleep(0.2)
        sys.stdout.write("stopped\n")
        sys.exit(130)
