"""Asks for pages again and again until each has a text, and prints that it has.

usage: ask.py [URL TEXT]...
"""

import sys
import time
import urllib.request


def ask(url, text):
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                page = answer.read().decode()
            if text in page:
                return
            print(url, page, file=sys.stderr, flush=True)
        except OSError as refused:  # of any kind: the server may be about to come
            print(url, refused, file=sys.stderr, flush=True)
        time.sleep(0.5)


if __name__ == "__main__":
    for url, text in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        ask(url, text)
        print("HAS", text, flush=True)
