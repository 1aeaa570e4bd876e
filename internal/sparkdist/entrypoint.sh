#!/bin/bash
# First process of every Spark container, under tini so that signals arrive and
# orphans are reaped. Spark's Kubernetes backend starts the image in two ways:
#
#   driver --properties-file FILE --class CLASS RESOURCE [ARG...]
#   executor                       (everything it needs is in SPARK_* variables)
#
# Any other arguments are a command, for looking around in the image.
set -euo pipefail

: "${SPARK_HOME:=/opt/spark}" "${JAVA_HOME:=/opt/jre}"
export SPARK_HOME JAVA_HOME

# Prints the values of SPARK_JAVA_OPT_<n> by ascending n, each ended by a NUL. The
# pod lists them in no order, and some options only mean something before others.
java_options() {
  local n name
  for n in $(compgen -e | sed -n 's/^SPARK_JAVA_OPT_\([0-9]\{1,\}\)$/\1/p' | sort -n); do
    name=SPARK_JAVA_OPT_$n
    printf '%s\0' "${!name}"
  done
}

case "${1-}" in
driver)
  shift
  # The driver runs in this very pod, so it is a client-mode driver from here on.
  exec tini -s -- "$SPARK_HOME/bin/spark-submit" \
    --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
    --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" \
    --deploy-mode client \
    "$@"
  ;;
executor)
  options=()
  while IFS= read -r -d '' option; do options+=("$option"); done < <(java_options)
  # All jars come first, for Java to use the archive of their classes.
  classpath="$SPARK_HOME/classpath.jar:${SPARK_CONF_DIR:-$SPARK_HOME/conf}"
  exec tini -s -- "$JAVA_HOME/bin/java" "${options[@]}" \
    "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
    -cp "$classpath${SPARK_EXTRA_CLASSPATH:+:$SPARK_EXTRA_CLASSPATH}" \
    org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
    --driver-url "$SPARK_DRIVER_URL" \
    --executor-id "$SPARK_EXECUTOR_ID" \
    --cores "$SPARK_EXECUTOR_CORES" \
    --app-id "$SPARK_APPLICATION_ID" \
    --hostname "$SPARK_EXECUTOR_POD_IP" \
    --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
    --podName "$SPARK_EXECUTOR_POD_NAME"
  ;;
"")
  exec tini -s -- /bin/bash
  ;;
*)
  exec tini -s -- "$@"
  ;;
esac
