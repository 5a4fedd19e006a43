package inspect

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// EDDYINSPECT in the environment, the path of a Unix socket, starts Serve in every program
// that imports this package, be it by a blank import.
func init() {
	path := os.Getenv("EDDYINSPECT")
	if path == "" {
		return
	}
	if _, err := Serve(path); err != nil {
		slog.Error("eddy: EDDYINSPECT", "error", err)
	}
}

// Serve serves the [Handler] on a Unix socket that only this user can reach, until
// stop is called, which removes it. A "%p" in path is replaced by the number of the
// process. A socket that is there, and that nobody serves any more, is replaced. The
// goroutines that serve it are not the loops', so it answers while these stand.
func Serve(path string) (stop func(), err error) {
	path = strings.ReplaceAll(path, "%p", strconv.Itoa(os.Getpid()))
	ln, err := listenPrivately(path)
	if err != nil {
		return nil, err
	}
	s := &http.Server{Handler: Handler(), ReadHeaderTimeout: 10 * time.Second}
	go s.Serve(ln)
	return func() { s.Close() }, nil
}

// listenPrivately listens on a Unix socket that has the mode 0600 before it has its
// path: it is made in a folder of its own, and moved.
func listenPrivately(path string) (net.Listener, error) {
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, &net.OpError{Op: "listen", Net: "unix", Addr: &net.UnixAddr{Name: path, Net: "unix"}, Err: syscall.EADDRINUSE}
	}
	if i, err := os.Lstat(path); err == nil && i.Mode().Type() != fs.ModeSocket {
		return nil, errors.New("inspect: there is something at " + path + " that is no socket")
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".eddy")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	if err = os.Chmod(made, 0o600); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		ln.Close()
		return nil, err
	}
	return &removing{ln, path}, nil
}

// removing is a listener whose socket is removed when it is closed.
type removing struct {
	net.Listener
	path string
}

func (l *removing) Close() error {
	os.Remove(l.path)
	return l.Listener.Close()
}
