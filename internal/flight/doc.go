// Package flight answers: what happened on a loop in the last seconds? A [Ring] holds
// records of a fixed size in a fixed amount of memory, a [Recording] is a copy of them
// with all that is needed to read them, and [WriteChrome] writes recordings in the
// format of Chrome's tracing page, which Perfetto reads too.
//
// It knows no loop. Which record is made where is package reactor/core's business.
package flight
