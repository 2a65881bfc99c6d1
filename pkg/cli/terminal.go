package cli

import (
	"io"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/term"
)

// terminal is an output that may be one. It is safe for concurrent use.
type terminal struct {
	is     bool // a person is looking
	colour bool

	mu     sync.Mutex
	w      io.Writer
	status bool // the last line is a status, and gives way to what comes next
}

func newTerminal(w io.Writer, env func(string) (string, bool)) *terminal {
	t := &terminal{w: w}
	if file, ok := w.(interface{ Fd() uintptr }); ok {
		t.is = term.IsTerminal(int(file.Fd()))
	}
	no, _ := env("NO_COLOR")
	kind, _ := env("TERM")
	t.colour = t.is && no == "" && kind != "dumb"
	return t
}

// Write writes what is to stay.
func (t *terminal) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	return t.w.Write(b)
}

// line writes a line that is to stay. Where even stderr cannot be written to, nobody can be told.
func (t *terminal) line(s string) { _, _ = io.WriteString(t, s+"\n") }

// show shows how far something is, on a terminal only. It gives way to whatever is written next; an empty
// status only does that.
func (t *terminal) show(status string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	if t.is && status != "" {
		_, _ = io.WriteString(t.w, status)
		t.status = true
	}
}

func (t *terminal) clear() {
	if t.status {
		_, _ = io.WriteString(t.w, "\r\x1b[K")
		t.status = false
	}
}

// The colours of words, as a terminal calls them.
const (
	plain  = ""
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// paint colours s if it is looked at on a terminal that has colours.
func (t *terminal) paint(colour, s string) string {
	if !t.colour || colour == plain {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

// printable is s without what a terminal would obey: names of properties are somebody else's text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}
