package tls

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"testing"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// TestHTTPServerServesATLSListener: a std http.Server over a Listener serves
// HTTP/1 and HTTP/2, and ends by Shutdown, all on goroutines.
func TestHTTPServerServesATLSListener(t *testing.T) {
	for _, protos := range [][]string{nil, {"http/1.1"}, {"h2"}, {"h2", "http/1.1"}} {
		run(t, func(ctx context.Context) {
			config := serverConfig()
			config.NextProtos = protos
			ln, err := Listen(ctx, "tcp", "127.0.0.1:0", config)
			if err != nil {
				t.Fatal(err)
			}
			want := "HTTP/1.1"
			if len(protos) > 0 && protos[0] == "h2" {
				want = "HTTP/2.0"
			}
			server := &http.Server{ErrorLog: log.New(failing{t}, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.TLS == nil || !r.TLS.HandshakeComplete {
					t.Error("the request does not tell of TLS")
				}
				io.WriteString(w, r.Proto)
			})}
			served := reactor.Go(ctx, func(ctx context.Context) error {
				_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, server.Serve(ln) })
				return err
			})
			outside(t, ctx, func() error {
				transport := &http.Transport{TLSClientConfig: clientConfig(), ForceAttemptHTTP2: true}
				defer transport.CloseIdleConnections()
				client := &http.Client{Transport: transport, Timeout: patience}
				for range 3 {
					resp, err := client.Get("https://" + ln.Addr().String())
					if err != nil {
						return err
					}
					body, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err != nil || string(body) != want || resp.Proto != want {
						t.Errorf("NextProtos %q: got %q in %s, %v; want %s", protos, body, resp.Proto, err, want)
					}
				}
				return nil
			})
			outside(t, ctx, func() error {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				return server.Shutdown(ctx)
			})
			if err := served.Wait(ctx); err != http.ErrServerClosed {
				t.Error("Serve:", err)
			}
		})
	}
}

// TestAcceptGivesWhatItsCallerCanUse: a task gets a Conn, a goroutine crypto/tls's.
func TestAcceptGivesWhatItsCallerCanUse(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0", serverConfig())
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		for where, accept := range map[string]func() (net.Conn, error){
			"a task": ln.Accept,
			"a goroutine": func() (net.Conn, error) {
				return reactor.ToThread(ctx, func(context.Context) (net.Conn, error) { return ln.Accept() })
			},
		} {
			dialled := reactor.Go(ctx, func(ctx context.Context) error {
				c, err := net.Dial(ctx, "tcp", ln.Addr().String())
				if err == nil {
					defer c.Close()
				}
				return err
			})
			c, err := accept()
			if err != nil {
				t.Fatal(err)
			}
			_, ours := c.(*Conn)
			_, std := c.(*tls.Conn)
			if ours != (where == "a task") || std == ours {
				t.Errorf("%s gets a %T", where, c)
			}
			c.Close()
			if err := dialled.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestHTTPShutdownInATask: a task that calls http.Server.Shutdown blocks its
// loop's thread, and Shutdown waits for Serve, whose Accept can end without the
// loop.
func TestHTTPShutdownInATask(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{}
		served := reactor.Go(ctx, func(ctx context.Context) error {
			_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, server.Serve(ln) })
			return err
		})
		parked(ctx)
		bounded, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := server.Shutdown(bounded); err != nil {
			t.Error(err)
		}
		if err := served.Wait(ctx); err != http.ErrServerClosed {
			t.Error("Serve:", err)
		}
	})
}
