//go:build linux

package peers

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed c libuv asio tokio uvloop
var sources embed.FS

// module is the import path of the servers in Go.
const module = "github.com/eddyio/eddy/bench"

// goMain returns a server whose source is package main in a folder here.
func goMain(key, title, folder string, args ...string) Peer {
	return Peer{Key: key, Title: title, Go: true, build: func(dir string) ([]string, error) {
		path := filepath.Join(dir, fileName(key))
		cmd := exec.Command("go", "build", "-o", path, module+"/internal/peers/"+folder)
		if err := run(cmd); err != nil {
			return nil, fmt.Errorf("go build, in the folder bench: %w", err)
		}
		return append([]string{path}, args...), nil
	}}
}

func fileName(key string) string { return strings.ReplaceAll(key, "/", "-") }

// cc builds a C program, with a library found by pkg-config.
func cc(source string, library ...string) func(string) ([]string, error) {
	return func(dir string) ([]string, error) {
		flags := []string{"-O2", "-Wall"}
		for _, l := range library {
			more, err := pkgConfig(l)
			if err != nil {
				return nil, err
			}
			flags = append(flags, more...)
		}
		return compile(dir, "cc", source, flags)
	}
}

func pkgConfig(library string) ([]string, error) {
	if _, err := exec.LookPath("pkg-config"); err != nil {
		return nil, err
	}
	out, err := exec.Command("pkg-config", "--cflags", "--libs", library).Output()
	if err != nil {
		return nil, fmt.Errorf("pkg-config does not know %s", library)
	}
	return strings.Fields(string(out)), nil
}

// cxx builds a C++20 program that needs a header.
func cxx(source, header string) func(string) ([]string, error) {
	return func(dir string) ([]string, error) {
		compiler, err := exec.LookPath("g++")
		if err != nil {
			return nil, err
		}
		probe := exec.Command(compiler, "-std=c++20", "-fsyntax-only", "-x", "c++", "-")
		probe.Stdin = strings.NewReader("#include <version>\n#if !__has_include(<" + header + ">)\n#error\n#endif\n")
		if probe.Run() != nil {
			return nil, fmt.Errorf("g++ with C++20 and %s was not found", header)
		}
		return compile(dir, compiler, source, []string{"-std=c++20", "-O2", "-pthread"})
	}
}

func compile(dir, compiler, source string, flags []string) ([]string, error) {
	compiler, err := exec.LookPath(compiler)
	if err != nil {
		return nil, err
	}
	text, err := sources.ReadFile(source)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, fileName(source))
	path := strings.TrimSuffix(file, filepath.Ext(file))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	return []string{path}, run(exec.Command(compiler, append([]string{"-o", path, file}, flags...)...))
}

// crates is the folder of the crates in Debian's packages.
const crates = "/usr/share/cargo/registry"

// cargo builds a Rust program offline, from Debian's crates.
func cargo(folder, binary string) func(string) ([]string, error) {
	return func(dir string) ([]string, error) {
		if _, err := exec.LookPath("cargo"); err != nil {
			return nil, err
		}
		if found, _ := filepath.Glob(filepath.Join(crates, folder+"-[0-9]*")); len(found) == 0 {
			return nil, fmt.Errorf("no %s in %s", folder, crates)
		}
		part, err := fs.Sub(sources, folder)
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(dir, "cargo-"+folder)
		if err := os.CopyFS(dir, part); err != nil {
			return nil, err
		}
		build := exec.Command("cargo", "build", "--release", "--offline", "--quiet",
			"--config", `source.crates-io.replace-with="debian"`, "--config", `source.debian.directory="`+crates+`"`)
		build.Dir = dir
		return []string{filepath.Join(dir, "target", "release", binary)}, run(build)
	}
}

// python runs a program with Debian's own interpreter, because only that finds
// Debian's packages.
func python(source, needs string, args ...string) func(string) ([]string, error) {
	const interpreter = "/usr/bin/python3"
	return func(dir string) ([]string, error) {
		// Isolated (-I), because otherwise a folder of that name in the working
		// directory would be imported as a package.
		if err := exec.Command(interpreter, "-I", "-c", "import "+needs).Run(); err != nil {
			return nil, fmt.Errorf("%s has no %s", interpreter, needs)
		}
		text, err := sources.ReadFile(source)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, fileName(source))
		argv := append([]string{interpreter, path, needs}, args...)
		return argv, os.WriteFile(path, text, 0o600)
	}
}

// run runs a compiler. The error contains its output.
func run(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if out = bytes.TrimSpace(out); len(out) == 0 {
		return err
	}
	return errors.Join(err, errors.New(string(out)))
}
