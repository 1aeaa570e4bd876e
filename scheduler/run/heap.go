package run

// ballast is, in bytes, memory that counts as in use and is never written to, so
// that no page of it exists. Go collects garbage when as much has been allocated as
// was in use before, so a scheduler of a small cluster, whose own data are a few
// dozen MiB, would spend a quarter of its CPU time on that. The price is at most as
// much more garbage, whatever the size of the cluster; with GOGC it would grow with
// the cluster.
const ballast = 128 << 20
