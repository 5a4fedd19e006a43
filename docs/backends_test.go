package docs

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// place is a file and what it declares, as backends.md names them.
var place = regexp.MustCompile("`([\\w/]+\\.go)`, `([\\w.]+)`")

// known is how a quirk of kqueue is known, in the last cell of its row.
var known = regexp.MustCompile(`\| (observed|read|believed)\b[^|]* \|\n$`)

// Each quirk in backends.md names the function that handles it, and it is there.
func TestQuirksAreHandled(t *testing.T) {
	text, err := os.ReadFile("backends.md")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for section := range strings.SplitSeq(string(text), "\n## ") {
		if !strings.HasPrefix(section, "Quirks") {
			continue
		}
		table := false // past the line between its head and its rows
		for line := range strings.Lines(section) {
			m := place.FindStringSubmatch(line)
			switch {
			case strings.HasPrefix(line, "|---"):
				table = true
			case table && m != nil && strings.HasPrefix(section, "Quirks of kqueue") && !known.MatchString(line):
				t.Errorf("it is not said how this is known: %s", line)
			case table && strings.HasPrefix(line, "|") && m == nil:
				t.Errorf("no function is named: %s", line)
			case m != nil && !declares(t, filepath.Join("..", m[1]), m[2]):
				t.Errorf("%s does not declare %s", m[1], m[2])
			case m != nil:
				named++
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d functions are named", named)
	}
}

// declares reports whether a file declares a name, or a method of a type: "Type.Method".
func declares(t *testing.T, file, name string) bool {
	t.Helper()
	for _, decl := range parse(t, file).Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			full := d.Name.Name
			if d.Recv != nil {
				full = typeName(d.Recv.List[0].Type) + "." + full
			}
			if full == name {
				return true
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.Name == name {
						return true
					}
				case *ast.ValueSpec:
					for _, id := range s.Names {
						if id.Name == name {
							return true
						}
					}
				}
			}
		}
	}
	return false
}
