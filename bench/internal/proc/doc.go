// Package proc starts the servers that are measured, each a process on one
// processor, and asks the kernel what they used: CPU time and memory. It knows
// nothing of what they serve. It needs Linux.
package proc
