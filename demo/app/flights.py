"""Answers one question about the flights that left New York City in 2013.

usage: flights.py QUESTION CSV

Every row of the answer is printed as a line "RESULT QUESTION KEY... NUMBER...".
All numbers are counts and sums of whole numbers, so they come out the same
however Spark splits the work: a mean is given as its count and its sum.
"""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

SCHEMA = """
    year INT, month INT, day INT, dep_time INT, sched_dep_time INT, dep_delay INT,
    arr_time INT, sched_arr_time INT, arr_delay INT, carrier STRING, flight INT,
    tailnum STRING, origin STRING, dest STRING, air_time INT, distance INT,
    hour INT, minute INT, time_hour STRING
"""


def mean(flights, column, *keys):
    total = F.coalesce(F.sum(column), F.lit(0))  # the sum of no known value is NULL
    return flights.groupBy(*keys).agg(F.count(column), total)


QUESTIONS = {
    "arrival-delays": lambda f: mean(f, "arr_delay", "carrier"),
    "monthly-flights": lambda f: f.groupBy("origin", "month").count(),
    "cancellations": lambda f: f.where("dep_time IS NULL").groupBy("month").count(),
    "distances": lambda f: mean(f, "distance", "dest"),
    "departure-delays": lambda f: mean(f, "dep_delay", "hour"),
    "busiest-planes": lambda f: f.where("tailnum IS NOT NULL").groupBy("tailnum").count()
    .orderBy(F.desc("count"), "tailnum").limit(10),
    "air-speeds": lambda f: f.where("air_time IS NOT NULL").groupBy("carrier")
    .agg(F.sum("distance"), F.sum("air_time")),
    "weekly-flights": lambda f: f.groupBy(
        F.weekofyear(F.make_date("year", "month", "day")).alias("week")).count(),
}


def main(question, path):
    spark = SparkSession.builder.getOrCreate()
    flights = spark.read.csv(path, schema=SCHEMA, header=True, nullValue="NA")
    for row in QUESTIONS[question](flights).collect():
        print("RESULT", question, *row, flush=True)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
