module github.com/eddyio/eddy/inspect/browsertest

go 1.26

require github.com/eddyio/eddy v0.0.0

require golang.org/x/sys v0.45.0 // indirect

replace github.com/eddyio/eddy => ../..
