// Package loop measures Muster's own loop: all of the scheduler as it runs in a
// cluster, kube-scheduler with the hold, the plugins, the loop that decides, its
// source and its effects, in a process that answers its API calls from memory.
//
// All nodes, gangs and pods exist beforehand. The scheduler starts, reads them and
// is let go; from that moment on it plans all gangs and binds their pods, and each
// bind comes back to its informers by the watch. The end is when every PodGroup
// says that all of its members run: Muster writes that once it has seen them
// bound. What it costs to start and to read what exists is not counted.
//
// Process CPU is the user and system time of the whole process between the two:
// with the binding cycles, the garbage collector, the writes of effects, the log,
// the answers from memory, and the copies that watches get.
//
// Loop CPU is the part of it in which the process decided: a CPU profile of the
// same time tells which part of all samples was taken inside of kube-scheduler's
// ScheduleOne, with what that has others do in parallel, or inside of Muster's
// own core.Loop.Run, which plans. A part of a measured time is nearer to the truth
// than a number of samples, for a busy kernel delivers fewer than were asked for.
package loop
