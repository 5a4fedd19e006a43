package http_test

import (
	"context"
	"fmt"
	"io"
	stdhttp "net/http"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/net/http"
	"github.com/eddyio/eddy/reactor"
)

// A handler of the standard library's kind awaits what a task can. A client with
// goroutines of its own is called by ToThread.
func ExampleServer() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		mux := stdhttp.NewServeMux()
		mux.HandleFunc("GET /hello/{name}", func(w stdhttp.ResponseWriter, r *stdhttp.Request) {
			if err := reactor.Sleep(r.Context(), time.Millisecond); err != nil {
				return // the client has left
			}
			fmt.Fprintf(w, "hello, %s", r.PathValue("name"))
		})
		server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
		serving := reactor.Go(ctx, func(ctx context.Context) error { return server.Serve(ctx, ln) })

		body, err := reactor.ToThread(ctx, func(ctx context.Context) ([]byte, error) {
			defer stdhttp.DefaultClient.CloseIdleConnections()
			resp, err := stdhttp.Get("http://" + ln.Addr().String() + "/hello/world")
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			return io.ReadAll(resp.Body)
		})
		fmt.Printf("%s, %v\n", body, err)
		err = server.Shutdown(ctx)
		fmt.Println(serving.Wait(ctx))
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// hello, world, <nil>
	// http: Server closed
}
