"""Has a Spark Connect server work as long as a test wants it to, with parts that all have
to be worked on at the same time, as those of parts.py.

usage: client.py SERVER FOLDER PARTS

Each part goes to a place of its own, FOLDER/0-PART, and stays until the test has come
there and has left again. At the end a line "RESULT 0 SUM" is printed.
"""

import glob
import sys

sys.path[:0] = glob.glob("/opt/spark/python/lib/*.zip")

from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

SIZE = 100_000


def main(server, folder, parts):
    spark = SparkSession.builder.remote(server).getOrCreate()

    def work(part):
        with open(f"{folder}/0-{part}") as pipe:
            pipe.read()
        return sum(range(part * SIZE, (part + 1) * SIZE))

    # Executors lack the libraries that Arrow needs.
    on_executors = udf(work, "long", useArrow=False)
    numbers = spark.range(0, parts, 1, parts).select(on_executors("id").alias("n"))
    print("RESULT", 0, numbers.groupBy().sum("n").collect()[0][0], flush=True)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
