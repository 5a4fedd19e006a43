// Package docs holds what is written about eddy, and these tests of it.
package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recordedCases are the numbers of the programs that were recorded of asyncio.
const recordedCases = `
	01 02 04 05 06 07 08 09 11 12 13 15 16 17 18 20 21 23 24 26 27 28 29 31 32 34
	35 36 37 38 40 41 43 44 46 48 49 50 52 55 56 57 58 59 60 61 62 63 65 66 67 68
	70 72 74 80 81 82 83 85 86 87 89 90 92 94 95`

// Each recorded program has a row in asyncio.md's table of cases, which names
// its test, or says why there is none; and one whose test says that eddy differs
// has a row in the table of differences.
func TestEveryCaseIsAccountedFor(t *testing.T) {
	tests := caseTests(t)
	cases := rows(t, "The cases")
	differences := rows(t, "The differences")
	known := strings.Fields(recordedCases)
	for _, number := range known {
		row, differs := cases[number], false
		named := strings.Contains(row, "`TestCase")
		found := false
		for _, test := range tests[number] {
			differs = differs || test.differs
			found = found || strings.Contains(row, test.where)
		}
		switch {
		case row == "":
			t.Errorf("case %s has no row in asyncio.md's table of cases", number)
		case named && !found:
			t.Errorf("case %s: its row names a test that is not there: %s", number, row)
		case len(tests[number]) > 0 && !named:
			t.Errorf("case %s: its row does not name its test, %s", number, tests[number][0].where)
		}
		if listed := differences[number] != ""; listed != differs {
			t.Errorf("case %s: its test says that eddy differs: %v; asyncio.md has a row for it: %v", number, differs, listed)
		}
	}
	for number, ts := range tests {
		if !slices.Contains(known, number) {
			t.Errorf("%s is the test of a case that is not recorded", ts[0].where)
		}
	}
}

// caseTest is a test of a recorded program.
type caseTest struct {
	where   string // its package and name, as asyncio.md has them
	differs bool   // it has lines that only eddy or only asyncio prints
}

var caseName = regexp.MustCompile(`^TestCase(\d\d)`)

// caseTests finds the tests of the recorded programs, by number.
func caseTests(t *testing.T) map[string][]caseTest {
	t.Helper()
	tests := make(map[string][]caseTest)
	files, err := filepath.Glob("../*/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files found", err)
	}
	for _, name := range files {
		for _, decl := range parse(t, name).Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || caseName.FindString(f.Name.Name) == "" {
				continue
			}
			number := caseName.FindStringSubmatch(f.Name.Name)[1]
			where := filepath.Base(filepath.Dir(name)) + ": `" + f.Name.Name + "`"
			tests[number] = append(tests[number], caseTest{where, marksDifference(f.Body)})
		}
	}
	return tests
}

func marksDifference(body ast.Node) (differs bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			differs = differs || strings.Contains(lit.Value, "asyncio|") || strings.Contains(lit.Value, "eddy|")
		}
		return true
	})
	return differs
}

// rows returns the rows of the table under a heading of asyncio.md, by the case
// numbers in their first column.
func rows(t *testing.T, heading string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("asyncio.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("asyncio.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	byNumber := make(map[string]string)
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, number := range strings.Split(cells[1], ",") {
			byNumber[strings.TrimSpace(number)] = line
		}
	}
	return byNumber
}

// Each name of eddy's that a document mentions with its package, and each method
// or field with its type, is there and exported.
func TestNamesExist(t *testing.T) {
	packages := map[string]*pkg{}
	for name, dir := range map[string]string{
		"eddy": "..", "timerwheel": "../timerwheel", "coro": "../coro",
		"reactor": "../reactor", "core": "../reactor/core", "poll": "../reactor/poll", "net": "../net", "process": "../process", "pool": "../reactor/pool", "reactortest": "../reactortest", "shard": "../shard",
	} {
		packages[name] = load(t, dir)
	}
	documents, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("*.md")
	if err != nil || !slices.Contains(own, "asyncio.md") {
		t.Fatal("asyncio.md is not there", err)
	}
	for _, name := range append(documents, own...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mention.FindAllStringSubmatch(string(text), -1) {
			if p := packages[m[1]]; !p.has(m[2], m[3]) {
				t.Errorf("%s mentions %s, which is not there", name, m[0])
			}
		}
	}
}

// Each link to another page or file of the repository leads somewhere, and to a
// heading that is there.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range append(glob(t, "../*.md"), glob(t, "*.md")...) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			path, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, ":") {
				continue // to another site
			}
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			there, err := os.ReadFile(target)
			if err != nil && !isDir(target) {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			} else if heading != "" && !slices.Contains(anchors(string(there)), heading) {
				t.Errorf("%s links to %s: there is no such heading", page, m[1])
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// anchors returns the names under which a page's headings can be linked to.
func anchors(page string) (names []string) {
	for line := range strings.Lines(page) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			name := strings.ToLower(strings.TrimSpace(heading))
			name = notInAnchor.ReplaceAllString(name, "")
			names = append(names, strings.ReplaceAll(name, " ", "-"))
		}
	}
	return names
}

var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatal("nothing matches", pattern, err)
	}
	return names
}

var mention = regexp.MustCompile(`\b(eddy|timerwheel|coro|reactor|core|poll|net|pool|process|reactortest|shard)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)

var absence = regexp.MustCompile(`\bthere is no (\w+)`)

// A row of asyncio.md that says of something that there is none of it says so of
// what no package exports, by whatever name: a function, a type, or a method.
func TestWhatIsNotThereIsNotThere(t *testing.T) {
	there := map[string]string{}
	for _, dir := range []string{"..", "../timerwheel", "../coro", "../reactor", "../net", "../net/tls", "../process", "../reactortest"} {
		p := load(t, dir)
		note := func(name string) {
			if ast.IsExported(name) {
				there[strings.ToLower(name)] = dir + " has " + name
			}
		}
		for name := range p.names {
			note(name)
		}
		for _, members := range p.members {
			for name := range members {
				note(name)
			}
		}
	}
	text, err := os.ReadFile("asyncio.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.HasPrefix(strings.TrimSpace(cells[2]), "none") {
			continue
		}
		for _, m := range absence.FindAllStringSubmatch(cells[2], -1) {
			if where := there[strings.ToLower(m[1])]; where != "" {
				t.Errorf("%q is in the row %s, but %s", m[0], strings.TrimSpace(line), where)
			}
		}
	}
}

// A pkg is the declared names of a package.
type pkg struct {
	names   map[string]bool
	members map[string]map[string]bool // of a type: its methods and fields
	embeds  map[string][]string        // of a type: those whose members it has, too
	foreign map[string]bool            // types that another package declares
}

func (p *pkg) has(name, member string) bool {
	if !p.names[name] {
		return false
	}
	return member == "" || p.foreign[name] || p.hasMember(name, member)
}

func (p *pkg) hasMember(typ, member string) bool {
	return p.members[typ][member] ||
		slices.ContainsFunc(p.embeds[typ], func(inner string) bool { return p.hasMember(inner, member) })
}

func (p *pkg) addMember(typ, member string) {
	if p.members[typ] == nil {
		p.members[typ] = make(map[string]bool)
	}
	p.members[typ][member] = true
}

// load reads a package's source, that of all platforms.
func load(t *testing.T, dir string) *pkg {
	t.Helper()
	p := &pkg{map[string]bool{}, map[string]map[string]bool{}, map[string][]string{}, map[string]bool{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal("no package in", dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, decl := range parse(t, name).Decls {
			p.add(decl)
		}
	}
	return p
}

func (p *pkg) add(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			p.addMember(typeName(d.Recv.List[0].Type), d.Name.Name)
		} else {
			p.names[d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, id := range s.Names {
					p.names[id.Name] = true
				}
			case *ast.TypeSpec:
				p.names[s.Name.Name] = true
				p.addType(s.Name.Name, s.Type)
			}
		}
	}
}

func (p *pkg) addType(name string, typ ast.Expr) {
	var fields *ast.FieldList
	switch typ := typ.(type) {
	case *ast.StructType:
		fields = typ.Fields
	case *ast.InterfaceType:
		fields = typ.Methods
	case *ast.SelectorExpr:
		p.foreign[name] = true
		return
	default:
		return
	}
	for _, f := range fields.List {
		for _, id := range f.Names {
			p.addMember(name, id.Name)
		}
		if len(f.Names) == 0 {
			p.embeds[name] = append(p.embeds[name], typeName(f.Type))
		}
	}
}

// typeName returns the name of a type, without its arguments.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	}
	return ""
}

func parse(t *testing.T, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
