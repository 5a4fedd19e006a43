package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Run is a program's run, with what applies to all its figures. Text written
// to it is printed, and kept for a file. The program's results embed it.
type Run struct {
	Command string   `json:"command"`
	Machine string   `json:"machine"`
	Date    string   `json:"date"`
	Skipped []string `json:"skipped,omitempty"`

	name     string
	stdout   io.Writer
	markdown bytes.Buffer
}

// Begin begins a run of a program of this module, by its folder's name.
func Begin(stdout io.Writer, name string, args []string, machine string) *Run {
	r := &Run{
		Command: strings.TrimSpace("go run ./" + name + " " + strings.Join(args, " ")),
		Machine: machine,
		Date:    time.Now().UTC().Format(time.DateOnly),
		name:    name,
		stdout:  stdout,
	}
	fmt.Fprintf(r, "`%s`, %s\n\n%s\n", r.Command, r.Date, r.Machine)
	return r
}

// Write prints Markdown.
func (r *Run) Write(p []byte) (int, error) {
	r.markdown.Write(p)
	return r.stdout.Write(p)
}

// Skip prints in a line what is left out, and keeps the whole reason.
func (r *Run) Skip(reason string) {
	r.Skipped = append(r.Skipped, reason)
	line, _, _ := strings.Cut(reason, "\n")
	fmt.Fprintf(r, "\n%s\n", line)
}

// Save makes a folder and writes into it NAME.md with what was printed,
// NAME.svg, and NAME.json with the results, which embed r.
func (r *Run) Save(dir string, results any, c Chart) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	path := filepath.Join(dir, r.name)
	text, err := json.MarshalIndent(results, "", "\t")
	return errors.Join(err, // write the others even if one fails: the run was long
		os.WriteFile(path+".md", r.markdown.Bytes(), 0o666),
		os.WriteFile(path+".svg", c.SVG(), 0o666),
		os.WriteFile(path+".json", append(text, '\n'), 0o666))
}
