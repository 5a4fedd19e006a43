// Rooms checks and draws the layers of eddy's packages. It calls a package a
// room and a layer a floor.
//
//	go run ./internal/rooms -check                       # for CI: exit status 1 and the reasons
//	go run ./internal/rooms -svg >docs/architecture.svg  # the picture of docs/architecture.md
//
// A package imports only from floors below its own, or from its own room. So
// rooms of one floor do not import each other.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const module = "github.com/eddyio/eddy"

// A room is a package together with the packages inside its folder that are not
// rooms themselves.
type room struct {
	path     string // below the module; "" is the root
	question string // in the picture
}

// floors are the rooms from the ground up. The other packages below internal
// are not rooms: any room may import them, and they import only each other.
var floors = [][]room{
	{
		{"coro", "How does control pass from one thread of code to another?"},
		{"", "Which file descriptors are ready?"},
		{"sockets", "What are the socket calls, none of which waits?"},
		{"timerwheel", "Which deadline is next?"},
	},
	{
		{"internal/simulation", "What does a loop ask of a simulator?"},
	},
	{
		{"reactor/core", "Who runs next, and what is everybody else waiting for?"},
	},
	{
		{"reactor", "What can a task await?"},
	},
	{
		{"reactor/poll", "How does a task read, write, accept, and a goroutine beside it?"},
		{"reactor/pool", "How do tasks share what is dear to make?"},
		{"inspect", "Which task, where, since when, and why is the loop slow?"},
	},
	{
		{"process", "How does a task run another program?"},
		{"net", "What does a socket do in a task?"},
		{"reactortest", "What does the program do if a seed decides?"},
	},
	{
		{"net/tls", "How do tasks talk over TLS?"},
		{"shard", "How do loops share a machine?"},
	},
	{
		{"examples", "How is it used?"},
		{"cmd/eddy", "What do the tasks of a running program do?"},
	},
}

// A graph holds the rooms that each room imports.
type graph map[string][]string

func main() {
	check := flag.Bool("check", false, "report each import that goes up or sideways")
	svg := flag.Bool("svg", false, "draw the rooms and their imports")
	flag.Parse()
	imports, err := list()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	g, bad := build(imports)
	if *check && len(bad) > 0 {
		fmt.Println(strings.Join(bad, "\n"))
		os.Exit(1)
	}
	if *svg {
		draw(os.Stdout, g)
	}
}

// list returns the imports of each package of the module, without those of
// tests.
func list() (map[string][]string, error) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	imports := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		imports[paths[0]] = paths[1:]
	}
	return imports, nil
}

// build returns the graph of the rooms, and the imports that break the rules.
func build(imports map[string][]string) (graph, []string) {
	g := make(graph)
	var bad []string
	for pkg, paths := range imports {
		if inTestkit(pkg) {
			continue // it may use what it tests
		}
		from, ok := roomOf(pkg)
		if !ok {
			bad = append(bad, pkg+" is in no room: give it a floor in internal/rooms")
			continue
		}
		for _, path := range paths {
			to, ok := roomOf(path)
			switch {
			case inTestkit(path):
				bad = append(bad, pkg+" must not import "+path+": it is for tests only")
			case !ok || to == from || to == "internal" && from != "internal":
			case from == "internal" || floorOf(from) <= floorOf(to):
				bad = append(bad, pkg+" must not import "+path)
			case !slices.Contains(g[from], to):
				g[from] = append(g[from], to)
			}
		}
	}
	for _, to := range g {
		slices.Sort(to)
	}
	slices.Sort(bad)
	return g, bad
}

// inTestkit reports whether pkg is a package of test helpers, which only tests
// may import.
func inTestkit(pkg string) bool { return strings.HasPrefix(pkg+"/", module+"/internal/testkit/") }

// roomOf returns the room of a package: the innermost whose folder contains it.
// It reports whether there is one.
func roomOf(pkg string) (string, bool) {
	path, ours := strings.CutPrefix(pkg+"/", module+"/")
	if !ours {
		return "", false
	}
	best, found := "", path == ""
	for _, floor := range floors {
		for _, r := range floor {
			if r.path != "" && strings.HasPrefix(path, r.path+"/") && len(r.path) > len(best) {
				best, found = r.path, true
			}
		}
	}
	if !found && (strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "docs/")) {
		return "internal", true
	}
	return best, found
}

func floorOf(path string) int {
	return slices.IndexFunc(floors, func(rooms []room) bool {
		return slices.ContainsFunc(rooms, func(r room) bool { return r.path == path })
	})
}

// direct returns the rooms that a room imports and does not reach through its
// other imports: the picture needs no more lines.
func (g graph) direct(from string) []string {
	return slices.DeleteFunc(slices.Clone(g[from]), func(to string) bool {
		return slices.ContainsFunc(g[from], func(by string) bool { return by != to && g.reaches(by, to) })
	})
}

func (g graph) reaches(from, to string) bool {
	return slices.ContainsFunc(g[from], func(next string) bool { return next == to || g.reaches(next, to) })
}

// The picture's measures, in pixels.
const (
	boxWidth, boxHeight = 250, 64
	gapX, gapY          = 30, 46
	margin              = 20
)

type point struct{ x, y int }

// draw writes the picture: a row of boxes for each floor, the highest on top.
func draw(w io.Writer, g graph) {
	widest := 0
	for _, floor := range floors {
		widest = max(widest, len(floor))
	}
	width := 2*margin + widest*boxWidth + (widest-1)*gapX
	height := 2*margin + len(floors)*boxHeight + (len(floors)-1)*gapY
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif">`+"\n", width, height)
	fmt.Fprintln(w, `<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#667"/></marker></defs>`)
	fmt.Fprintf(w, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	at := make(map[string]point) // the middle of each box's upper edge
	for i, floor := range floors {
		left := (width - len(floor)*boxWidth - (len(floor)-1)*gapX) / 2
		for j, r := range floor {
			at[r.path] = point{left + j*(boxWidth+gapX) + boxWidth/2, margin + (len(floors)-1-i)*(boxHeight+gapY)}
		}
	}
	for _, floor := range floors {
		for _, r := range floor {
			for _, to := range g.direct(r.path) {
				a, b := at[r.path], at[to]
				fmt.Fprintf(w, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#667" marker-end="url(#arrow)"/>`+"\n", a.x, a.y+boxHeight, b.x, b.y)
			}
		}
	}
	for _, floor := range floors {
		for _, r := range floor {
			box(w, at[r.path], r)
		}
	}
	fmt.Fprintln(w, `</svg>`)
}

func box(w io.Writer, top point, r room) {
	name := r.path
	if name == "" {
		name = "eddy"
	}
	fmt.Fprintf(w, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="#eef3fa" stroke="#667"/>`+"\n", top.x-boxWidth/2, top.y, boxWidth, boxHeight)
	fmt.Fprintf(w, `<text x="%d" y="%d" font-size="15" font-weight="bold" text-anchor="middle">%s</text>`+"\n", top.x, top.y+20, name)
	for i, line := range wrap(r.question, 38) {
		fmt.Fprintf(w, `<text x="%d" y="%d" font-size="12" text-anchor="middle" fill="#334">%s</text>`+"\n", top.x, top.y+38+16*i, line)
	}
}

// wrap breaks a text into lines of at most n characters.
func wrap(text string, n int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > n:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
