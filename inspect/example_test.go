package inspect_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/eddyio/eddy/inspect"
	"github.com/eddyio/eddy/reactor"
)

// Which task holds the lock, and which tasks wait for it?
func ExampleTake() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		var accounts reactor.Mutex
		reactor.Go(ctx, func(ctx context.Context) error {
			accounts.Lock(ctx)
			defer accounts.Unlock()
			return reactor.Sleep(ctx, time.Hour)
		}).SetName("billing")
		reactor.Go(ctx, func(ctx context.Context) error { return accounts.Lock(ctx) }).SetName("visit")
		reactor.Yield(ctx)

		for _, loop := range inspect.Take(ctx).Loops {
			for _, task := range loop.Tasks {
				if strings.Contains(task.WaitsFor, "mutex") {
					fmt.Printf("%s waits for %s\n", task.Name, task.WaitsFor)
				}
			}
		}
		return nil
	})
	// Output: visit waits for a mutex held by task 2 (billing)
}

// Goroutines serve the handler, so a program's other pages may be served beside it.
func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("/debug/eddy/", http.StripPrefix("/debug/eddy", inspect.Handler()))
	server := httptest.NewServer(mux) // in a program: go http.ListenAndServe("127.0.0.1:6060", mux)
	defer server.Close()

	reactor.Run(context.Background(), func(ctx context.Context) error {
		reactor.Current(ctx).SetName("billing")
		_, err := reactor.ToThread(ctx, func(context.Context) (int, error) {
			for _, path := range []string{"json", "pstree", "metrics"} {
				answer, err := http.Get(server.URL + "/debug/eddy/" + path)
				if err != nil {
					return 0, err
				}
				answer.Body.Close()
				fmt.Println(path, answer.StatusCode, answer.Header.Get("Content-Type"))
			}
			return 0, nil
		})
		return err
	})
	// Output:
	// json 200 application/json; charset=utf-8
	// pstree 200 text/plain; charset=utf-8
	// metrics 200 text/plain; version=0.0.4; charset=utf-8
}

// The metrics are in the text format of Prometheus. Here is what one of them is.
func ExampleWriteMetrics() {
	reactor.Options{Name: "billing"}.Run(context.Background(), func(ctx context.Context) error {
		reactor.Go(ctx, func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) })
		reactor.Yield(ctx)
		var text strings.Builder
		inspect.WriteMetrics(&text, false)
		for line := range strings.Lines(text.String()) {
			if strings.Contains(line, "eddy_loop_tasks") && strings.HasPrefix(line, "#") {
				fmt.Print(line)
			}
		}
		return nil
	})
	// Output:
	// # HELP eddy_loop_tasks Tasks that have not ended.
	// # TYPE eddy_loop_tasks gauge
}

// A Unix socket that only its user can reach needs no port. The command eddy takes its path.
func ExampleServe() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	stop, err := inspect.Serve(dir + "/billing.sock")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	info, err := os.Stat(dir + "/billing.sock")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Mode())
	// Output: Srw-------
}
