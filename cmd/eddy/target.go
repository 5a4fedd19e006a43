package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// A target is a program that can be asked.
type target struct {
	address string     // as the user has it
	bases   []*url.URL // below which inspect may answer; the first that does is kept alone
	client  *http.Client
}

// mounts are the paths at which programs serve inspect.Handler: as their only handler,
// or beside net/http/pprof.
var mounts = []string{"/", "/debug/eddy/"}

// newTarget finds out what kind of address it is: a URL, the path of a Unix socket, or
// host:port.
func newTarget(address string) (*target, error) {
	t := &target{address: address}
	transport := &http.Transport{DisableCompression: true}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	transport.DialContext = dialer.DialContext
	t.client = &http.Client{Transport: transport}
	path, isUnix := strings.CutPrefix(address, "unix:")
	switch {
	case strings.HasPrefix(address, "http://"), strings.HasPrefix(address, "https://"):
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("%w: %q is no URL", errUsage, address)
		}
		u.RawQuery, u.Fragment = "", ""
		if !strings.HasSuffix(u.Path, "/") {
			u.Path += "/"
		}
		t.bases = []*url.URL{u}
	case isUnix, strings.Contains(address, "/"), !strings.Contains(address, ":"):
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}
		t.bases = basesAt("localhost")
	default:
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("%w: %q is no host:port", errUsage, address)
		}
		if host == "" {
			host = "localhost"
		}
		t.bases = basesAt(net.JoinHostPort(host, port))
	}
	return t, nil
}

func basesAt(host string) (bases []*url.URL) {
	for _, path := range mounts {
		bases = append(bases, &url.URL{Scheme: "http", Host: host, Path: path})
	}
	return bases
}

// snapshot asks for what the program does now.
func (t *target) snapshot(ctx context.Context) (*snapshot, error) {
	body, err := t.get(ctx, "json", "application/json", time.Minute)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var s snapshot
	if err := json.NewDecoder(body).Decode(&s); err != nil {
		return nil, t.stranger(fmt.Sprintf("its answer is no JSON: %v", err))
	}
	if s.Version != 1 {
		return nil, t.stranger(fmt.Sprintf("its answer has version %d, and this command knows version 1", s.Version))
	}
	return &s, nil
}

// get makes a request, and returns the body of an answer of this type. All must be over
// within a time.
func (t *target) get(ctx context.Context, what, kind string, within time.Duration) (io.ReadCloser, error) {
	for {
		body, again, err := t.getBelow(ctx, t.bases[0], what, kind, within)
		if err == nil {
			t.bases = t.bases[:1]
		}
		if !again || len(t.bases) == 1 {
			return body, err
		}
		t.bases = t.bases[1:]
	}
}

// getBelow is get at one place. It reports whether the program may answer at another.
func (t *target) getBelow(ctx context.Context, base *url.URL, what, kind string, within time.Duration) (body io.ReadCloser, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	ref, err := url.Parse(what)
	if err != nil {
		cancel()
		return nil, false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base.ResolveReference(ref).String(), nil)
	if err != nil {
		cancel()
		return nil, false, err
	}
	answer, err := t.client.Do(request)
	if err != nil {
		cancel()
		return nil, false, t.unreachable(err)
	}
	if answer.StatusCode == http.StatusOK && strings.HasPrefix(answer.Header.Get("Content-Type"), kind) {
		return &bounded{answer.Body, cancel}, false, nil
	}
	defer cancel()
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 400))
	if answer.StatusCode == http.StatusOK {
		return nil, true, t.stranger(fmt.Sprintf("it answers with %q", answer.Header.Get("Content-Type")))
	}
	return nil, answer.StatusCode == http.StatusNotFound,
		t.stranger(fmt.Sprintf("it answers %s: %s", answer.Status, strings.TrimSpace(string(text))))
}

// A bounded body ends its request's time with Close.
type bounded struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *bounded) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// stranger is the error of what answers, but not as inspect does.
func (t *target) stranger(how string) error {
	return fmt.Errorf("%s does not answer as package inspect does: %s. A program imports it, and listens where %s says, or mounts inspect.Handler: give the URL of that",
		t.address, how, envAddress)
}

// unreachable says in a sentence why nothing answers.
func (t *target) unreachable(err error) error {
	var netErr net.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no socket %s: does the program run, with %s set to it?", t.address, envAddress)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the socket %s belongs to another user: only its owner may ask", t.address)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens at %s: has the program ended?", t.address)
	case errors.Is(err, syscall.ENOTSOCK), errors.Is(err, syscall.EPROTOTYPE):
		return fmt.Errorf("%s is no Unix socket that can be asked: %w", t.address, cause(err))
	case errors.As(err, &netErr) && netErr.Timeout():
		return fmt.Errorf("%s does not answer in time: it is there, but all of it stands", t.address)
	}
	return fmt.Errorf("%s can't be asked: %w", t.address, cause(err))
}

// cause is an error of net/http's without the request that it was for.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
