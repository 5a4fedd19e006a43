package inspect

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit/chrome"
	"github.com/eddyio/eddy/reactor"
)

// traced returns what the handler answers, asked by a goroutine.
func traced(query string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/trace"+query, nil))
	return w
}

func TestTrace(t *testing.T) {
	for _, record := range []int{-1, 1 << 20} {
		err := reactor.Options{Record: record}.Run(context.Background(), func(ctx context.Context) error {
			reactor.Current(ctx).SetName("ticks")
			answer := make(chan *httptest.ResponseRecorder, 1)
			go func() { answer <- traced("?seconds=0.05") }()
			for {
				reactor.Sleep(ctx, time.Millisecond)
				select {
				case w := <-answer:
					if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
						t.Errorf("Record %d: status %d, %s", record, w.Code, w.Body)
						return nil
					}
					lines := chrome.Summary(chrome.Read(t, w.Body.Bytes()))
					if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "task 1 (ticks): ") }) {
						t.Errorf("Record %d: the task is not in\n%s", record, strings.Join(lines, "\n"))
					}
					return nil
				default:
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTraceRefusesTimes(t *testing.T) {
	for _, s := range []string{"0", "-1", "NaN", "Inf", "301", "1e300", "x"} {
		if w := traced("?seconds=" + s); w.Code != 400 {
			t.Errorf("seconds=%s: status %d", s, w.Code)
		}
	}
	if d, err := traceTime(""); d != usualTrace || err != nil {
		t.Errorf("without seconds: %v, %v", d, err)
	}
	if w := traced("?seconds=0.001"); w.Code != 503 {
		t.Errorf("without a loop: status %d", w.Code)
	}
}
