"""Asks for pages again and again until each is there, and prints them.

usage: ask.py URL...
"""

import sys
import time
import urllib.request


def ask(url):
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read().decode()
        except OSError as refused:  # of any kind: the server may be about to come
            print(url, refused, file=sys.stderr, flush=True)
            time.sleep(0.5)


if __name__ == "__main__":
    for url in sys.argv[1:]:
        print(ask(url))
