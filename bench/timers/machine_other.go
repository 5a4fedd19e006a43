//go:build !linux

package main

import "runtime"

func machine() string { return runtime.GOARCH + ", " + runtime.Version() }
