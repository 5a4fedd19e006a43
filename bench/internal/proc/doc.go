// Package proc starts servers, each in a process on one processor, and measures
// their CPU time and memory. It needs Linux.
package proc
