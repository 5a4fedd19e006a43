package inspect

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

const (
	usualTrace   = 5 * time.Second
	longestTrace = 5 * time.Minute
	traceBytes   = 4 << 20 // for each loop that records for a request only
)

var errTraceTime = errors.New("seconds must be more than 0, and at most 300")

// serveTrace serves what happened in the last seconds if every loop records, and else
// records for as long.
func serveTrace(w http.ResponseWriter, r *http.Request) {
	d, err := traceTime(r.FormValue("seconds"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !allRecord() {
		stop := reactor.StartRecording(traceBytes)
		defer stop()
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return
		}
	}
	var b bytes.Buffer
	if err := reactor.WriteTrace(&b, d); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="trace.json"`)
	w.Write(b.Bytes())
}

func traceTime(seconds string) (time.Duration, error) {
	if seconds == "" {
		return usualTrace, nil
	}
	s, err := strconv.ParseFloat(seconds, 64)
	if err != nil || !(s > 0 && s <= longestTrace.Seconds()) {
		return 0, errTraceTime
	}
	return time.Duration(s * float64(time.Second)), nil
}

// allRecord reports whether there are loops, and each records.
func allRecord() bool {
	all := core.Loops()
	for _, l := range all {
		if !l.Recording() {
			return false
		}
	}
	return len(all) > 0
}
