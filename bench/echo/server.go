//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	_ "embed"
)

// A server is a program that prints "listening on ADDR" and echoes.
type server struct {
	name string
	args []string
}

//go:embed c/epoll.c
var epollSource []byte

// findServers returns the limit first, if it can be built, and then the others.
func findServers() []server {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	servers := []server{
		{"eddy", []string{self, "serve", "eddy"}},
		{"net", []string{self, "serve", "net"}},
	}
	if path, err := buildC(filepath.Dir(self)); err != nil {
		fmt.Println("without the C loop, so ratios are to eddy:", err)
	} else {
		servers = append([]server{{"C epoll loop", []string{path}}}, servers...)
	}
	return servers
}

func buildC(dir string) (string, error) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "epoll-echo")
	build := exec.Command(cc, "-O2", "-Wall", "-o", path, "-x", "c", "-")
	build.Stdin = bytes.NewReader(epollSource)
	build.Stderr = os.Stderr
	return path, build.Run()
}

// measure starts the server on processor 0 and the load on processor 1.
func (s server) measure(what scenario) (r result, err error) {
	cmd := exec.Command(s.args[0], s.args[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := startOn(0, cmd); err != nil {
		return r, err
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return r, fmt.Errorf("it says nothing: %w", err)
	}
	addr := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	load := exec.Command(self, "load", addr, strconv.Itoa(cmd.Process.Pid), strconv.Itoa(what.conns),
		strconv.Itoa(what.size), strconv.Itoa(what.pipeline), what.length.String())
	load.Stderr = os.Stderr
	var answer bytes.Buffer
	load.Stdout = &answer
	if err := startOn(1, load); err != nil {
		return r, err
	}
	if err := load.Wait(); err != nil {
		return r, fmt.Errorf("the load generator: %w", err)
	}
	return r, json.Unmarshal(answer.Bytes(), &r)
}
