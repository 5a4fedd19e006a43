package main

import "github.com/eddyio/eddy/bench/internal/proc"

func machine() string { return proc.Machine() }
