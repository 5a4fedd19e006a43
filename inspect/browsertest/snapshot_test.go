package browsertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/inspect"
)

// The types below are what the page reads of a snapshot.

type snapshot struct {
	Version int       `json:"version"`
	Time    time.Time `json:"time"`
	PID     int       `json:"pid"`
	Program string    `json:"program"`
	Go      string    `json:"go"`
	Loops   []*loop   `json:"loops"`
}

type loop struct {
	ID       int       `json:"id"`
	Name     string    `json:"name"`
	Standing *standing `json:"standing,omitempty"`
	Error    string    `json:"error,omitempty"`
	Health   health    `json:"health"`
	Servers  []server  `json:"servers,omitempty"`
	Slow     []slow    `json:"slow,omitempty"`
	Tasks    []task    `json:"tasks"`
	Census   []place   `json:"census,omitempty"`
	Suspects []suspect `json:"suspects,omitempty"`
}

type standing struct {
	Task  int     `json:"task"`
	Name  string  `json:"name"`
	For   float64 `json:"for"`
	Calls bool    `json:"calls"`
	Stack string  `json:"stack"`
}

type health struct {
	Utilization map[string]float64            `json:"utilization"`
	Lag         map[string]map[string]float64 `json:"lag"`
	Tasks       int                           `json:"tasks"`
}

type server struct {
	Address     string `json:"address"`
	Connections int    `json:"connections"`
	Accepted    int    `json:"accepted"`
}

type slow struct {
	Time  time.Time `json:"time"`
	Task  string    `json:"task"`
	Took  float64   `json:"took"`
	Stack string    `json:"stack"`
}

type task struct {
	ID       int      `json:"id"`
	Name     string   `json:"name,omitempty"`
	Func     string   `json:"func"`
	Site     string   `json:"site"`
	State    string   `json:"state"`
	WaitsFor string   `json:"waits_for,omitempty"`
	Since    float64  `json:"since"`
	Deadline *float64 `json:"deadline,omitempty"`
	Parent   int      `json:"parent,omitempty"`
}

type place struct {
	Site   string  `json:"site"`
	Func   string  `json:"func"`
	Count  int     `json:"count"`
	Oldest float64 `json:"oldest"`
}

type suspect struct {
	Task int    `json:"task"`
	Why  string `json:"why"`
}

// A program is one that the page is shown, though it does not run: the snapshot is what
// the test says.
type program struct {
	*httptest.Server

	mu    sync.Mutex
	now   snapshot
	stack string
}

// pretend serves the page of a program with these loops.
func pretend(t *testing.T, loops ...*loop) *program {
	t.Helper()
	p := &program{stack: "main.visit\n\t/src/member.go:44\n"}
	p.now = snapshot{1, time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), 4711, "chat", "go1.26.8", loops}
	mux := http.NewServeMux()
	mux.Handle("/", inspect.Handler())
	mux.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(p.now)
	})
	mux.HandleFunc("/stack", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		fmt.Fprintf(w, "loop %s, task %s\n%s", r.FormValue("loop"), r.FormValue("task"), p.stack)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// later changes the snapshot, some time later.
func (p *program) later(d time.Duration, change func(s *snapshot)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Time = p.now.Time.Add(d)
	change(&p.now)
}

// window is what the health of a window of time may be.
func window(u, p50, p99, most float64) health {
	lag := map[string]float64{"p50": p50, "p99": p99, "max": most}
	return health{
		Utilization: map[string]float64{"10s": u, "1m": u, "10m": u},
		Lag:         map[string]map[string]float64{"10s": lag, "1m": lag, "10m": lag},
	}
}

// A crowd is a loop with a server whose n members wait, and some other tasks.
func crowd(n int) *loop {
	deadline := 2.5
	l := &loop{ID: 1, Name: "main.main", Health: window(0.41, 20e-6, 1.2e-3, 9e-3), Tasks: []task{
		{ID: 1, Name: "main", Func: "main.main.func1", Site: "/src/chat/main.go:27", State: "waiting", WaitsFor: "a server of 127.0.0.1:7001", Since: 3600},
		{ID: 2, Name: "billing", Func: "main.billing", Site: "/src/chat/billing.go:9", State: "waiting", WaitsFor: "queue jobs, 0 of 10", Since: 12.5, Parent: 1, Deadline: &deadline},
		{ID: 3, Name: "report", Func: "main.report", Site: "/src/chat/report.go:7", State: "running", Parent: 2},
	}}
	for i := range n {
		l.Tasks = append(l.Tasks, task{ID: 10 + i, Func: "main.visit", Site: "/src/chat/member.go:44", State: "waiting",
			WaitsFor: fmt.Sprintf("read of 10.0.%d.%d:5%03d", i/256, i%256, i%1000), Since: float64(n - i), Parent: 1})
	}
	l.Health.Tasks = len(l.Tasks)
	l.Census = []place{{"/src/chat/member.go:44", "main.visit", n, float64(n)}, {"/src/chat/billing.go:9", "main.billing", 1, 12.5}}
	return l
}
