package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ctrlC is what the key sends while a screen is shown.
const ctrlC = 3

// What a terminal is told, all of it understood by xterm and by what imitates it.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l" // another page, no cursor, lines are cut at the edge
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	restOfLine  = "\x1b[K"
	restOfPage  = "\x1b[J"
)

// A screen is a terminal that shows a page.
type screen struct {
	in, out *os.File
	before  unix.Termios
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), getTermios)
	return err == nil
}

// newScreen takes over a terminal: keys come at once and are not echoed.
func newScreen(in, out *os.File) (*screen, error) {
	before, err := unix.IoctlGetTermios(int(in.Fd()), getTermios)
	if err != nil {
		return nil, fmt.Errorf("the terminal can't be used: %w", err)
	}
	s := &screen{in, out, *before}
	now := *before
	now.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(in.Fd()), setTermios, &now); err != nil {
		return nil, fmt.Errorf("the terminal can't be used: %w", err)
	}
	if _, err := io.WriteString(out, enterScreen); err != nil {
		s.restore()
		return nil, err
	}
	return s, nil
}

// restore gives the terminal back as it was.
func (s *screen) restore() {
	io.WriteString(s.out, leaveScreen)
	unix.IoctlSetTermios(int(s.in.Fd()), setTermios, &s.before)
}

// show replaces the page by what print prints, in so many lines, at once.
func (s *screen) show(print func(w io.Writer, height int)) {
	height := 24
	if size, err := unix.IoctlGetWinsize(int(s.out.Fd()), unix.TIOCGWINSZ); err == nil && size.Row > 0 {
		height = int(size.Row)
	}
	var b strings.Builder
	print(&b, height-1)
	page := strings.ReplaceAll(b.String(), "\n", restOfLine+"\r\n")
	io.WriteString(s.out, home+page+restOfPage)
}
