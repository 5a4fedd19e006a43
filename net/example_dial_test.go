package net_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// An http.Client dials from its own goroutines, and so must run on a goroutine
// too; its connections still belong to the loop.
func ExampleDialer() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello")
	}))
	defer server.Close()
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		d := &net.Dialer{Timeout: 10 * time.Second, Loop: reactor.LoopOf(ctx)}
		client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
		body, err := reactor.ToThread(ctx, func(context.Context) ([]byte, error) {
			resp, err := client.Get(server.URL)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			return io.ReadAll(resp.Body)
		})
		fmt.Printf("%s\n", body)
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: hello
}

// Control sees each socket before it is bound.
func ExampleListenConfig() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		lc := net.ListenConfig{
			ReusePort: true,
			Control: func(network, address string, c syscall.RawConn) error {
				fmt.Println("a socket for", network)
				return nil
			},
		}
		ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close()
		second, err := lc.Listen(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		return second.Close()
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// a socket for tcp4
	// a socket for tcp4
}

func ExampleBuffers() {
	header, body := []byte("length: 5\n"), []byte("hello")
	message := net.Buffers{header, body}
	message.WriteTo(os.Stdout) // to a connection, by one system call
	// Output:
	// length: 5
	// hello
}
