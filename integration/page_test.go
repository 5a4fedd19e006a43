package integration

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const pageFile = "../docs/libraries.md"

// A page is docs/libraries.md: prose, and two tables that the tests write.
type page struct {
	text  string
	words map[key]map[string]string // what is expected of each check
	speed map[string][]string       // cells of the second table, by library
}

type key struct{ library, place string }

// readPage reads the page, and what its tables say.
func readPage() (*page, error) {
	text, err := os.ReadFile(pageFile)
	if err != nil {
		return nil, err
	}
	p := &page{text: string(text), words: make(map[key]map[string]string), speed: make(map[string][]string)}
	for cells := range p.rows("what works") {
		for i, place := range places {
			p.words[key{cells[0], place.name}] = parseCell(cells[2+i])
		}
	}
	for cells := range p.rows("speed") {
		p.speed[cells[0]] = cells[1:]
	}
	return p, nil
}

// marks are the lines around a table.
func marks(table string) (begin, end string) {
	return "<!-- " + table + " -->\n", "<!-- end of " + table + " -->\n"
}

// rows calls f with the cells of each row of a table but the first two.
func (p *page) rows(table string) func(func([]string) bool) {
	return func(f func([]string) bool) {
		begin, end := marks(table)
		_, rest, _ := strings.Cut(p.text, begin)
		body, _, _ := strings.Cut(rest, end)
		for i, line := range strings.Split(strings.TrimSpace(body), "\n") {
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			if i >= 2 && len(cells) > 2 && !f(cells) {
				return
			}
		}
	}
}

func (p *page) replace(table, body string) {
	begin, end := marks(table)
	before, rest, _ := strings.Cut(p.text, begin)
	_, after, _ := strings.Cut(rest, end)
	p.text = before + begin + body + end + after
}

// A cell has the checks that succeed, and then those that do not, with what came of
// them. After a use that does not work nothing else was checked.
func cell(words map[string]string) string {
	if len(words) == 0 {
		return ""
	}
	var good, bad []string
	for _, c := range checkNames[:3] {
		switch w := words[c]; w {
		case yes:
			good = append(good, c)
		case "":
		default:
			bad = append(bad, c+": "+w)
		}
	}
	parts := []string{}
	if len(good) > 0 {
		parts = append(parts, strings.Join(good, ", "))
	}
	if len(bad) > 0 {
		parts = append(parts, "**"+strings.Join(bad, ", ")+"**")
	}
	return strings.Join(parts, "; ")
}

func parseCell(text string) map[string]string {
	words := make(map[string]string)
	text = strings.ReplaceAll(strings.ReplaceAll(text, "*", ""), ";", ",")
	for part := range strings.SplitSeq(text, ",") {
		check, word, ok := strings.Cut(strings.TrimSpace(part), ": ")
		if !ok {
			word = yes
		}
		if check != "" {
			words[check] = word
		}
	}
	return words
}

// found notes what came of a library's checks in a place.
func (p *page) found(l *library, at place, verdicts map[string]verdict) {
	words := make(map[string]string)
	for c, v := range verdicts {
		words[c] = v.Word
	}
	p.words[key{l.name, at.name}] = words
	if at.name == "std" {
		return
	}
	cells := p.speed[l.name]
	if len(cells) != 4 {
		cells = make([]string, 4)
		p.speed[l.name] = cells
	}
	v := verdicts["speed"]
	i := slices.IndexFunc(places, func(p place) bool { return p.name == at.name }) - 1
	cells[i] = ""
	if v.Word == yes {
		cells[i] = fmt.Sprintf("%.2f", float64(v.Std)/float64(v.Here))
	}
	if at.name == "task" {
		cells[3] = ""
		if v.Word == yes {
			cells[3] = v.Held.Round(10 * time.Microsecond).String()
		}
	}
}

func (p *page) whatWorks(versions map[string]string) string {
	var b strings.Builder
	b.WriteString("| library | version |")
	for _, at := range places {
		b.WriteString(" " + at.title + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(places)) + "\n")
	for _, l := range libraries {
		version := "Go's own"
		if l.module != "" {
			version = versions[l.module]
		}
		fmt.Fprintf(&b, "| %s | %s |", l.name, version)
		for _, at := range places {
			fmt.Fprintf(&b, " %s |", cell(p.words[key{l.name, at.name}]))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (p *page) speeds() string {
	var b strings.Builder
	b.WriteString("| library |")
	for _, at := range places[1:] {
		b.WriteString(" " + at.title + " |")
	}
	b.WriteString(" a task held the loop for at most |\n|---|" + strings.Repeat("---|", len(places)) + "\n")
	for _, l := range libraries {
		fmt.Fprintf(&b, "| %s | %s |\n", l.name, strings.Join(p.speed[l.name], " | "))
	}
	return b.String()
}

func (p *page) write() error {
	versions, err := versions()
	if err != nil {
		return err
	}
	p.replace("what works", p.whatWorks(versions))
	p.replace("speed", p.speeds())
	return os.WriteFile(pageFile, []byte(p.text), 0o644)
}

var requirement = regexp.MustCompile(`(?m)^\s+(\S+) (v\S+)$`)

// versions returns those of the modules that this one imports itself.
func versions() (map[string]string, error) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		return nil, err
	}
	found := make(map[string]string)
	for _, m := range requirement.FindAllStringSubmatch(string(text), -1) {
		found[m[1]] = m[2]
	}
	if len(found) == 0 {
		return nil, errors.New("go.mod has no versions")
	}
	return found, nil
}

// The page has a row for each library, with its version and all that is checked of it.
// Of the table of speeds, the figures are not compared.
func TestPageHasEveryLibrary(t *testing.T) {
	p, err := readPage()
	if err != nil {
		t.Fatal(err)
	}
	versions, err := versions()
	if err != nil {
		t.Fatal(err)
	}
	for table, body := range map[string]string{"what works": p.whatWorks(versions), "speed": p.speeds()} {
		begin, end := marks(table)
		if !strings.Contains(p.text, begin+body+end) {
			t.Errorf("the table of %s is not what the tests write; go test -run Libraries -update writes\n%s", table, body)
		}
	}
}

// What works with Go's net works in ToThread and off the loop just as well. In a task
// every library works and obeys deadlines; one that does not let itself be cancelled
// there makes the task wait for its goroutines.
func TestEveryLibraryHasAPlace(t *testing.T) {
	p, err := readPage()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		want := p.words[key{l.name, "std"}]
		for _, at := range places[1:] {
			words := p.words[key{l.name, at.name}]
			for _, c := range checkNames[:3] {
				if at.name == "task" && (c == "cancel" || words[c] == yes) {
					continue
				}
				if words[c] != want[c] {
					t.Errorf("%s %s: %s: %q, and with Go's net %q", l.name, at.title, c, words[c], want[c])
				}
			}
		}
	}
}
