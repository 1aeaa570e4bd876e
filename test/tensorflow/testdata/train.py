"""Trains a classifier of handwritten digits, as one replica of a TFJob.

usage: train.py mirrored|parameter-server DIGITS FOLDER

The chief writes the loss of each step to FOLDER/losses, and a checkpoint after each
epoch of the mirrored way, from which all replicas go on when one was lost.
"""

import json
import os
import sys
import tempfile
import time

import numpy as np
import tensorflow as tf

STEPS, EPOCH, RATE = 300, 10, 0.5
# What is to be tried again ends so: 128 and more is not the program's own fault.
LOST = 138


def read(path):
    table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return table[:, :-1] / 16, table[:, -1].astype(np.int64)


class Classifier:
    def __init__(self):
        def variable(shape):
            return tf.Variable(tf.zeros(shape), aggregation=tf.VariableAggregation.MEAN)

        self.weights, self.biases = variable([64, 10]), variable([10])
        self.step = tf.Variable(0, dtype=tf.int64, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def descend(self, pixels, labels):
        with tf.GradientTape() as tape:
            logits = tf.matmul(pixels, self.weights) + self.biases
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        for variable, gradient in zip((self.weights, self.biases), tape.gradient(loss, (self.weights, self.biases))):
            variable.assign_sub(RATE * gradient)
        return loss


class Losses:
    """A file that the test reads."""

    def __init__(self, folder):
        self.file = open(os.path.join(folder, "losses"), "a", buffering=1)

    def tell(self, step, loss):
        print(json.dumps({"step": int(step), "loss": float(loss)}), file=self.file)


def mirrored(me, digits, folder):
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    chief = me["type"] == "chief"
    # Each replica learns from its own part.
    part = me["index"] if chief else me["index"] + 1
    pixels, labels = (tf.constant(column[part :: strategy.num_replicas_in_sync]) for column in digits)
    with strategy.scope():
        model = Classifier()
    checkpoint = tf.train.Checkpoint(weights=model.weights, biases=model.biases, step=model.step)
    stored = os.path.join(folder, "checkpoints")
    # All replicas save, since that is a common act, and the chief's is kept.
    manager = tf.train.CheckpointManager(checkpoint, stored if chief else tempfile.mkdtemp(), max_to_keep=2)
    checkpoint.restore(tf.train.latest_checkpoint(stored))

    @tf.function
    def step():
        loss = strategy.run(model.descend, args=(pixels, labels))
        return strategy.reduce(tf.distribute.ReduceOp.MEAN, loss, axis=None)

    losses = Losses(folder) if chief else None
    for n in range(int(model.step.numpy()), STEPS):
        loss = step()
        time.sleep(0.05)  # so that there is time to lose a replica
        if chief:
            losses.tell(n, loss)
        if n % EPOCH == EPOCH - 1:
            model.step.assign(n + 1)
            manager.save()


def parameter_server(me, digits, folder):
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver(rpc_layer="grpc")
    if me["type"] != "chief":
        server = tf.distribute.Server(resolver.cluster_spec(), job_name=me["type"], task_index=me["index"], protocol="grpc")
        server.join()
    strategy = tf.distribute.ParameterServerStrategy(resolver)
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    with strategy.scope():
        model = Classifier()

    @tf.function
    def step():
        return strategy.run(model.descend, args=(tf.constant(digits[0]), tf.constant(digits[1])))

    losses = Losses(folder)
    for n in range(STEPS):
        losses.tell(n, coordinator.schedule(step).fetch())


def main(way, digits, folder):
    me = json.loads(os.environ["TF_CONFIG"])["task"]
    try:
        {"mirrored": mirrored, "parameter-server": parameter_server}[way](me, read(digits), folder)
    except tf.errors.OpError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(LOST)  # what is left of the cluster can't be closed


if __name__ == "__main__":
    main(*sys.argv[1:])
