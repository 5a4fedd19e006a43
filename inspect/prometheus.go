package inspect

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/eddyio/eddy/reactor/core"
)

// serveMetrics serves the metrics of all loops. It asks no loop, so it answers at once.
func serveMetrics(w http.ResponseWriter, r *http.Request) {
	open := strings.Contains(r.Header.Get("Accept"), "application/openmetrics-text")
	kind := "text/plain; version=0.0.4; charset=utf-8"
	if open {
		kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	WriteMetrics(w, open)
}

// WriteMetrics writes the metrics of all loops in the text format of Prometheus, or in
// that of OpenMetrics. It may be called from anywhere.
func WriteMetrics(w io.Writer, openMetrics bool) {
	out := &metricsWriter{Writer: bufio.NewWriter(w), open: openMetrics}
	defer out.Flush()
	for _, l := range core.Loops() {
		out.loops = append(out.loops, measured{l.Number(), l.Main(), l.Metrics()})
	}
	out.gauge("tasks", "Tasks that have not ended.", func(m *core.Metrics) float64 { return float64(m.Tasks) })
	out.gauge("ready", "Tasks and callbacks that are to run.", func(m *core.Metrics) float64 { return float64(m.Ready) })
	out.gauge("timers", "Timers that are set.", func(m *core.Metrics) float64 { return float64(m.Timers) })
	out.gauge("descriptors", "File descriptors of the loop.", func(m *core.Metrics) float64 { return float64(m.FDs) })
	out.gauge("threads", "Goroutines that work for tasks.", func(m *core.Metrics) float64 { return float64(m.Threads) })
	out.gauge("coroutines", "Coroutines, in use or pooled.", func(m *core.Metrics) float64 { return float64(m.Coroutines) })
	out.gauge("coroutines_pooled", "Coroutines that wait for a task.", func(m *core.Metrics) float64 { return float64(m.Pooled) })
	out.gauge("coroutines_pooled_bytes", "What these take at least.", func(m *core.Metrics) float64 { return float64(m.CoroutineMemory) })
	out.counter("turns", "Turns that the loop has taken.", func(m *core.Metrics) float64 { return float64(m.Turns) })
	out.counter("steps", "Runs of tasks and callbacks between two suspensions.", func(m *core.Metrics) float64 { return float64(m.Steps) })
	out.counter("posts", "Calls from other goroutines.", func(m *core.Metrics) float64 { return float64(m.Posts) })
	out.counter("wakes", "Times that such a call had to wake the loop.", func(m *core.Metrics) float64 { return float64(m.Wakes) })
	out.counter("uptime_seconds", "Time since the loop began.", func(m *core.Metrics) float64 { return m.Uptime.Seconds() })
	out.counter("asleep_seconds", "Time of it that the loop was asleep.", func(m *core.Metrics) float64 { return m.Asleep.Seconds() })
	out.windows("utilization_ratio", "Share of the time that the loop was not asleep.", func(w *core.Window) float64 { return w.Utilization })
	out.windows("lag_max_seconds", "The longest wait from being ready to running.", func(w *core.Window) float64 { return w.MaxLag.Seconds() })
	out.lag()
	if out.open {
		out.WriteString("# EOF\n")
	}
}

// A metricsWriter writes families of metrics, each of all loops.
type metricsWriter struct {
	*bufio.Writer
	open  bool
	loops []measured
}

type measured struct {
	id   uint64
	name string
	core.Metrics
}

func (w *metricsWriter) family(name, kind, help string) string {
	name = "eddy_loop_" + name
	suffix := ""
	if kind == "counter" {
		suffix = "_total"
	}
	if w.open {
		fmt.Fprintf(w, "# TYPE %s %s\n# HELP %s %s\n", name, kind, name, help)
	} else {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name+suffix, help, name+suffix, kind)
	}
	return name + suffix
}

func (w *metricsWriter) gauge(name, help string, value func(*core.Metrics) float64) {
	w.each(w.family(name, "gauge", help), value)
}

func (w *metricsWriter) counter(name, help string, value func(*core.Metrics) float64) {
	w.each(w.family(name, "counter", help), value)
}

func (w *metricsWriter) each(name string, value func(*core.Metrics) float64) {
	for i := range w.loops {
		l := &w.loops[i]
		fmt.Fprintf(w, "%s{%s} %s\n", name, l.labels(), number(value(&l.Metrics)))
	}
}

func (w *metricsWriter) windows(name, help string, value func(*core.Window) float64) {
	name = w.family(name, "gauge", help)
	for i := range w.loops {
		l := &w.loops[i]
		for j := range l.Windows {
			fmt.Fprintf(w, "%s{%s,window=\"%s\"} %s\n", name, l.labels(), windowNames[j], number(value(&l.Windows[j])))
		}
	}
}

// lag writes the histogram of lags, one bound for each doubling.
func (w *metricsWriter) lag() {
	name := w.family("lag_seconds", "histogram", "Steps by how long they waited, at the most, from being ready to running.")
	for i := range w.loops {
		l := &w.loops[i]
		var sum uint64
		for j, n := range l.Lag.Counts {
			sum += n
			if j%4 == 3 && j < len(l.Lag.Counts)-1 {
				fmt.Fprintf(w, "%s_bucket{%s,le=\"%s\"} %d\n", name, l.labels(), number(core.LagBound(j).Seconds()), sum)
			}
		}
		fmt.Fprintf(w, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, l.labels(), sum)
		fmt.Fprintf(w, "%s_sum{%s} %s\n%s_count{%s} %d\n", name, l.labels(), number(l.Lag.Sum.Seconds()), name, l.labels(), sum)
	}
}

func (l *measured) labels() string {
	return fmt.Sprintf(`loop="%d",main="%s"`, l.id, escaped(l.name))
}

func number(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return "NaN"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// escaped makes a text fit for the value of a label, without control characters:
// metrics may be read in a terminal.
func escaped(s string) string { return labelEscapes.Replace(plain(s)) }
