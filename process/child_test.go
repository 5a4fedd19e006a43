package process

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
)

// The programs that the tests run are this test's own binary; an environment
// variable chooses the program.

const childEnv = "EDDY_PROCESS_TEST_CHILD"

var children = map[string]func(args []string){
	"true":       func([]string) {},
	"cat":        func([]string) { io.Copy(os.Stdout, os.Stdin) },
	"say":        childSay,
	"alternate":  childAlternate,
	"sleep":      childSleep,
	"polite":     childPolite,
	"stubborn":   childStubborn,
	"flood":      childFlood,
	"gush":       childGush,
	"parent":     childParent,
	"heir":       childHeir,
	"where":      childWhere,
	"descriptor": childDescriptor,
}

// child returns the command that runs one of the children.
func child(name string, args ...string) *Cmd {
	c := Command(os.Args[0], args...)
	// With the race detector, a program sleeps for a second when it exits,
	// unless told otherwise.
	c.Env = append(os.Environ(), childEnv+"="+name, "GORACE=atexit_sleep_ms=0")
	return c
}

func beChild(name string) {
	children[name](os.Args[1:])
	os.Exit(0)
}

// say OUT ERR STATUS
func childSay(args []string) {
	fmt.Fprint(os.Stdout, args[0])
	fmt.Fprint(os.Stderr, args[1])
	status, _ := strconv.Atoi(args[2])
	os.Exit(status)
}

// alternate writes to both outputs in turn.
func childAlternate([]string) {
	for range 100 {
		fmt.Fprint(os.Stdout, "tick ")
		fmt.Fprint(os.Stderr, "tock ")
	}
}

// sleep is ended by the first signal.
func childSleep([]string) {
	fmt.Println("ready")
	time.Sleep(time.Minute)
}

// polite writes a line and exits when asked to end.
func childPolite([]string) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	fmt.Println("ready")
	select {
	case s := <-asked:
		time.Sleep(20 * time.Millisecond)
		fmt.Println("bye,", s)
		os.Exit(7)
	case <-time.After(time.Minute):
	}
}

// stubborn ignores requests to end.
func childStubborn([]string) {
	signal.Ignore(syscall.SIGTERM)
	fmt.Println("ready")
	time.Sleep(time.Minute)
}

// flood N writes N bytes to each output before it reads a byte, and exits with
// status 9 unless it reads N bytes.
func childFlood(args []string) {
	n, _ := strconv.Atoi(args[0])
	os.Stdout.Write(testkit.Pattern(n))
	os.Stderr.Write(testkit.Pattern(n + 1))
	in, _ := io.ReadAll(os.Stdin)
	if !bytes.Equal(in, testkit.Pattern(n+2)) {
		os.Exit(9)
	}
}

// gush N writes N bytes in two parts, even if asked to end.
func childGush(args []string) {
	signal.Ignore(syscall.SIGTERM)
	n, _ := strconv.Atoi(args[0])
	os.Stdout.Write(testkit.Pattern(n)[:1])
	time.Sleep(10 * time.Millisecond)
	os.Stdout.Write(testkit.Pattern(n)[1:])
}

// parent exits and leaves a child of its own, heir, which holds its pipes.
func childParent([]string) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"=heir")
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := c.Start(); err != nil {
		os.Exit(1)
	}
	fmt.Println("parent")
}

// heir runs until its input ends, and then writes a line.
func childHeir([]string) {
	io.Copy(io.Discard, os.Stdin)
	fmt.Println("heir")
}

func childWhere([]string) {
	dir, _ := os.Getwd()
	fmt.Printf("%s\n%s\n%s", dir, os.Getenv("EDDY_X"), strings.Join(os.Args[1:], "|"))
}

// descriptor copies descriptor 3 to its output.
func childDescriptor([]string) { io.Copy(os.Stdout, os.NewFile(3, "extra")) }
