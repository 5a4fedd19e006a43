//go:build !linux

package main

import "log"

func main() { log.Fatal("soak: needs Linux: it asks /proc what the server holds") }
