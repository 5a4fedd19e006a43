package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/programs"
)

const patience = testkit.Patience

func TestMain(m *testing.M) { programs.Main(m, main) }

// start runs the program and returns its URL, without a slash. When the test is
// over it is interrupted, and must end well.
func start(t *testing.T) (url string) {
	t.Helper()
	p := programs.Start(t, "-addr", "127.0.0.1:0", "-peraddr", "1000")
	t.Cleanup(func() { p.Interrupt(t) })
	return p.Addr
}

func client() *http.Client {
	return &http.Client{
		Timeout:   patience,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}},
	}
}

func fetch(c *http.Client, method, url, body string) (*http.Response, string, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	res, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return res, string(got), err
}

// TestRequests: the standard library's client gets its answers, over TLS 1.3, on
// a connection that is kept.
func TestRequests(t *testing.T) {
	url, c := start(t), client()
	defer c.CloseIdleConnections()
	big := strings.Repeat("0123456789abcdef", 60_000)
	for _, r := range []struct{ method, body, want string }{
		{"GET", "", "GET /path?query\n"},
		{"POST", "hello", "hello"},
		{"POST", big, big},
		{"HEAD", "", ""},
		{"DELETE", "", "DELETE /path?query\n"},
	} {
		res, got, err := fetch(c, r.method, url+"/path?query", r.body)
		if err != nil || res.StatusCode != 200 || got != r.want {
			t.Fatalf("%s: %v, %d bytes, %v", r.method, res, len(got), err)
		}
		if res.TLS.Version != tls.VersionTLS13 || res.TLS.NegotiatedProtocol != "http/1.1" {
			t.Errorf("%s with %q", tls.VersionName(res.TLS.Version), res.TLS.NegotiatedProtocol)
		}
	}
}

func TestManyClients(t *testing.T) {
	url := start(t)
	var clients sync.WaitGroup
	for i := range 100 {
		clients.Go(func() {
			c := client()
			defer c.CloseIdleConnections()
			for j := range 5 {
				want := fmt.Sprint("client ", i, " request ", j)
				if _, got, err := fetch(c, "POST", url, want); got != want || err != nil {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			}
		})
	}
	clients.Wait()
}

// TestBadRequests: what is no request, or too large a one, ends its connection
// and nothing else.
func TestBadRequests(t *testing.T) {
	url := start(t)
	good := client()
	defer good.CloseIdleConnections()
	for name, request := range map[string]string{
		"no HTTP":         "what?\r\n\r\n",
		"a vast header":   "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n",
		"a vast body":     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + strings.Repeat("x", 2*maxBody),
		"a body cut off":  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345",
		"nothing, to end": "",
	} {
		c, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(patience))
		go func() { c.Write([]byte(request)); c.CloseWrite() }()
		got, err := io.ReadAll(c)
		if errors.Is(err, os.ErrDeadlineExceeded) || len(got) > 0 && !bytes.HasPrefix(got, []byte("HTTP/1.1 400 ")) {
			t.Errorf("%s: answered %q, %v", name, got, err)
		}
		c.Close()
		if _, got, err := fetch(good, "POST", url, "still there"); got != "still there" || err != nil {
			t.Errorf("after %s: %q, %v", name, got, err)
		}
	}
}

// run runs a program of the machine's, if it has that.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(name, "is not installed")
	}
	cmd := exec.Command(path, args...)
	deadline := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer deadline.Stop()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestCurl(t *testing.T) {
	url := start(t)
	got := run(t, "curl", "--insecure", "--silent", "--show-error", "--tlsv1.3", "--data", "hello", "--write-out", " %{http_code} %{ssl_verify_result}", url)
	if !strings.HasPrefix(got, "hello 200 ") {
		t.Errorf("curl got %q", got)
	}
	got = run(t, "curl", "--insecure", "--silent", "--show-error", "--tls-max", "1.2", url+"/[1-3]")
	if got != "GET /1\nGET /2\nGET /3\n" {
		t.Errorf("curl got %q", got)
	}
}

// TestOpenSSL: another implementation agrees, also upon new keys, which the
// command K asks for.
func TestOpenSSL(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	cmd := exec.Command(path, "s_client", "-connect", strings.TrimPrefix(start(t), "https://"), "-tls1_3", "-alpn", "http/1.1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer deadline.Stop()
	said := bufio.NewReader(out)
	var all strings.Builder
	hear := func(want string) {
		t.Helper()
		for {
			line, err := said.ReadString('\n')
			all.WriteString(line)
			if strings.Contains(line, want) {
				return
			}
			if err != nil {
				t.Fatalf("no %q in what openssl said:\n%s", want, &all)
			}
		}
	}
	hear("TLSv1.3")
	hear("ALPN protocol: http/1.1")
	for i, command := range []string{"", "K\n", "K\n"} { // it looks at the first letter of what it reads
		io.WriteString(in, command)
		if command != "" {
			hear("KEYUPDATE")
		}
		fmt.Fprintf(in, "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i)
		hear(fmt.Sprintf("GET /%d", i))
	}
	in.Close()
	hear("DONE")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
