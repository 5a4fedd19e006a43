module github.com/eddyio/eddy/bench

go 1.26

require github.com/eddyio/eddy v0.0.0

require golang.org/x/sys v0.45.0

replace github.com/eddyio/eddy => ../
