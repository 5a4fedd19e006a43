package net

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lacking lists what std's net exports and this package does not, with the
// reasons.
var lacking = map[string]string{
	"IPConn": rawIP, "DialIP": rawIP, "ListenIP": rawIP, "Dialer.DialIP": rawIP,

	"Pipe": "an end blocks its goroutine until the other moves, and two tasks of one loop would wait for ever: " +
		"connect them by a Unix socket, or give std's to goroutines, by reactor.ToThread",

	"Dialer.DualStack": "deprecated in std",
	"Dialer.Cancel":    "deprecated in std",
}

const rawIP = "raw IP sockets are for programs that use their own: core.FD"

// exported returns the names that a package's files export, and the methods and
// fields of types as Type.Name.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	p, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Skip(err)
	}
	names := map[string]bool{}
	var embeds [][2]string
	for _, file := range p.GoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, file), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					name = typeName(d.Recv.List[0].Type) + "." + name
				}
				names[name] = d.Name.IsExported()
			case *ast.GenDecl:
				embeds = append(embeds, declared(d, names)...)
			}
		}
	}
	for range 3 { // as deep as they are embedded in each other
		for _, e := range embeds {
			for name := range maps.Clone(names) {
				if rest, ok := strings.CutPrefix(name, e[1]+"."); ok && names[name] {
					names[e[0]+"."+rest] = true
				}
			}
		}
	}
	maps.DeleteFunc(names, func(name string, public bool) bool { return !public || !ast.IsExported(name) })
	return names
}

// declared records the names of a declaration, and returns which types embed
// which.
func declared(d *ast.GenDecl, names map[string]bool) (embeds [][2]string) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.ValueSpec:
			for _, id := range s.Names {
				names[id.Name] = id.IsExported()
			}
		case *ast.TypeSpec:
			names[s.Name.Name] = s.Name.IsExported()
			st, ok := s.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range st.Fields.List {
				for _, id := range field.Names {
					names[s.Name.Name+"."+id.Name] = id.IsExported()
				}
				if field.Names == nil {
					embeds = append(embeds, [2]string{s.Name.Name, typeName(field.Type)})
				}
			}
		}
	}
	return embeds
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// TestNothingForgotten: everything that std's net exports is here, or has a
// reason in lacking.
func TestNothingForgotten(t *testing.T) {
	root := build.Default.GOROOT
	if _, err := os.Stat(filepath.Join(root, "src", "net")); err != nil {
		t.Skip("the standard library's source is not here:", err)
	}
	std, ours := exported(t, filepath.Join(root, "src", "net")), exported(t, ".")
	for _, name := range slices.Sorted(maps.Keys(std)) {
		of, _, isMember := strings.Cut(name, ".")
		why, excused := lacking[name]
		switch {
		case ours[name] && excused:
			t.Errorf("%s is not lacking", name)
		case ours[name] || excused && why != "":
		case isMember && (isAlias(of) || lacking[of] != ""):
		default:
			t.Errorf("%s is not here", name)
		}
	}
	for name := range lacking {
		if !std[name] {
			t.Errorf("std's net has no %s", name)
		}
	}
}

// isAlias reports whether a type is std's own.
func isAlias(name string) bool {
	f, err := parser.ParseFile(token.NewFileSet(), "net.go", nil, 0)
	if err != nil {
		return false
	}
	for _, d := range f.Decls {
		if d, ok := d.(*ast.GenDecl); ok {
			for _, s := range d.Specs {
				if s, ok := s.(*ast.TypeSpec); ok && s.Name.Name == name {
					return s.Assign.IsValid()
				}
			}
		}
	}
	return false
}
