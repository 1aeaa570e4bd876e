"""Works as long as a test wants it to, and shows how many executors it has.

usage: parts.py FOLDER STEP...

A step is a number of parts, which all have to be worked on at the same time, so
the step needs as many executors; or 0, in which the driver alone rests. Every
part, and the driver that rests, goes to a place of its own, FOLDER/STEP-PART,
counted from 0, and stays until the test has come there and has left again.

For each step with parts a line "RESULT STEP SUM" is printed.
"""

import sys

from pyspark import SparkContext

SIZE = 100_000


def stay(place):
    """Blocks until the other side has opened the named pipe and closed it."""
    with open(place) as pipe:
        pipe.read()


def work(place, part):
    stay(place)
    return sum(range(part * SIZE, (part + 1) * SIZE))


def main(folder, *steps):
    context = SparkContext()
    for step, parts in enumerate(map(int, steps)):
        if parts == 0:
            stay(f"{folder}/{step}-0")
            continue
        places = context.parallelize(range(parts), parts)
        total = places.map(lambda part: work(f"{folder}/{step}-{part}", part)).sum()
        print("RESULT", step, total, flush=True)
    context.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
