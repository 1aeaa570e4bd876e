"""Does what the drivers and executors of jobs do, so that Java loads their classes.

usage: rehearsal.py API

API is the URL of a Kubernetes that isn't there.

Nothing comes out of it but the archive that Java makes at the end of what it has
loaded. All that a job needs besides is loaded as if there were no archive.
"""

import sys
import tempfile

from py4j.protocol import Py4JJavaError
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def call_kubernetes(api):
    """Starts as in a pod, up to the first request, which nobody answers."""
    conf = SparkConf().setMaster("k8s://" + api).set("spark.kubernetes.container.image", "none")
    try:
        SparkContext(conf=conf)
    except Py4JJavaError:
        pass


def count_in_python(context):
    context.parallelize(range(2), 2).map(lambda n: n + 1).sum()


def ask_by_sql(session):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as table:
        table.write("key,number\na,1\nb,NA\n")
        table.flush()
        rows = session.read.csv(table.name, schema="key STRING, number INT", header=True, nullValue="NA")
        known = rows.where("number IS NOT NULL")
        known.groupBy("key").agg(F.count("number"), F.coalesce(F.sum("number"), F.lit(0))).collect()
        rows.groupBy("key").count().orderBy(F.desc("count"), "key").limit(1).collect()


def main(api):
    call_kubernetes(api)
    session = SparkSession.builder.master("local[1]").getOrCreate()
    count_in_python(session.sparkContext)
    ask_by_sql(session)
    session.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
