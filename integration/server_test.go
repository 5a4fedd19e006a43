package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A server is something that libraries talk to: a program of Debian's, or one
// written with the library itself. It is started when a test first asks for it, and
// stopped when all tests have run.
type server struct {
	name string
	// start makes the server listen on an address of loopback, with a folder of its
	// own to write to. It returns once the server answers.
	start func(dir string) (addr string, stop func(), err error)

	once sync.Once
	addr string
	stop func()
	dir  string
	err  error
}

// A missingError is why a server can't be started on this machine.
type missingError struct{ program string }

func (e missingError) Error() string {
	return fmt.Sprintf("there is no %s on this machine; README.md says how to install it", e.program)
}

// find starts the server unless it runs already.
func (s *server) find() (string, error) {
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "eddy-"+s.name+"-"); s.err != nil {
			return
		}
		for range 3 { // another program may take the port meanwhile
			s.addr, s.stop, s.err = s.start(s.dir)
			if s.err == nil || errors.As(s.err, new(missingError)) {
				return
			}
		}
	})
	return s.addr, s.err
}

func (s *server) shut() {
	if s.stop != nil {
		s.stop()
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}

var servers = map[string]*server{}

// serve adds a server.
func serve(name string, start func(dir string) (addr string, stop func(), err error)) {
	servers[name] = &server{name: name, start: start}
}

// starting are servers that start before anybody needs them.
var starting sync.WaitGroup

// startAll has all servers start at the same time. Whoever needs one waits for it.
func startAll() {
	for _, s := range servers {
		starting.Go(func() { s.find() })
	}
}

func stopServers() {
	starting.Wait()
	var stopping sync.WaitGroup
	for _, s := range servers {
		stopping.Go(s.shut)
	}
	stopping.Wait()
}

// addresses returns where some servers listen. The test is skipped if one is not on
// this machine.
func addresses(t testing.TB, names ...string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, name := range names {
		addr, err := servers[name].find()
		if errors.As(err, new(missingError)) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found[name] = addr
	}
	return found
}

// A program is a server of Debian's.
type program struct {
	path string
	args []string
	user string // whose process it is if this one is root's; "" is root
	stop os.Signal
	addr string
	// answers reports whether the server that listens at addr can be used.
	answers func(ctx context.Context, addr string) error
}

// startupTime is long because several servers start at the same time.
const startupTime = time.Minute

func (p program) run() (addr string, stop func(), err error) {
	cmd, err := command(p.user, p.path, p.args...)
	if err != nil {
		return "", nil, err
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	stop = func() {
		cmd.Process.Signal(p.stop)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
	}
	limit := time.Now().Add(startupTime)
	for {
		err := p.tryOnce()
		if err == nil {
			return p.addr, stop, nil
		}
		select {
		case <-ended:
			return "", nil, fmt.Errorf("%s ended: %s", filepath.Base(p.path), said.Bytes())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(limit) {
			stop()
			return "", nil, fmt.Errorf("%s does not answer after %v: %v\n%s", filepath.Base(p.path), startupTime, err, said.Bytes())
		}
	}
}

func (p program) tryOnce() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return err
	}
	c.Close()
	if p.answers == nil {
		return nil
	}
	return p.answers(ctx, p.addr)
}

// command makes a command that dies with this process, where the system can do that. If this process is root's and
// as is set, the command runs as that user.
func command(as, path string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = new(syscall.SysProcAttr)
	dieWithParent(cmd.SysProcAttr)
	if as != "" && os.Geteuid() == 0 {
		uid, gid, err := ids(as)
		if err != nil {
			return nil, err
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return cmd, nil
}

func ids(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

// lookFor returns the path of a program, which may be where only root looks, or in
// one of the folders given, which are patterns.
func lookFor(name string, folders ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, folder := range append(folders, "/usr/sbin", "/usr/local/sbin") {
		found, _ := filepath.Glob(filepath.Join(folder, name))
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", missingError{name}
}

// freePort returns a port of loopback that nothing listened on a moment ago.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}
