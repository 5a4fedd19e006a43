package browsertest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds what must happen at all, on a machine on which many programs compete
// for the processor.
const patience = 2 * time.Minute

// browserNames are those under which systems install Chromium, and what is built from it.
var browserNames = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// A browser is a Chromium that runs without a window. It is spoken to over two pipes, in
// the DevTools protocol: JSON messages that end with a zero byte.
type browser struct {
	process *exec.Cmd
	dir     string
	in      io.WriteCloser

	mu      sync.Mutex
	lastID  int
	calls   map[int]chan message
	tabs    map[string]*tab // by session
	ended   error           // why no more answers come
	stopped chan struct{}
}

// A message is a call, an answer or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// shared is the browser of all tests, which TestMain stops.
var shared = sync.OnceValues(startBrowser)

var errNoBrowser = errors.New("there is no chromium: Debian's package chromium is one")

func startBrowser() (*browser, error) {
	path := ""
	for _, name := range browserNames {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, errNoBrowser
	}
	dir, err := os.MkdirTemp("", "browsertest")
	if err != nil {
		return nil, err
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	b := &browser{dir: dir, in: in, calls: map[int]chan message{}, tabs: map[string]*tab{}, stopped: make(chan struct{})}
	b.process = exec.Command(path, "--headless", "--no-sandbox", "--remote-debugging-pipe", "--user-data-dir="+dir,
		"--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
		"--disable-component-update", "--force-color-profile=srgb", "about:blank")
	b.process.ExtraFiles = []*os.File{theirIn, theirOut} // its descriptors 3 and 4
	b.process.Env = append(os.Environ(), "TZ=UTC", "HOME="+dir)
	if err := b.process.Start(); err != nil {
		return nil, err
	}
	theirIn.Close()
	theirOut.Close()
	go b.read(out)
	return b, nil
}

// stop ends the browser, and waits for it.
func (b *browser) stop() {
	b.call("", "Browser.close", nil)
	select {
	case <-b.stopped:
	case <-time.After(10 * time.Second):
		b.process.Process.Kill()
		<-b.stopped
	}
	b.process.Wait()
	b.in.Close()
	os.RemoveAll(b.dir)
}

func (b *browser) read(out io.ReadCloser) {
	defer close(b.stopped)
	defer out.Close()
	r := bufio.NewReaderSize(out, 1<<20)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			b.mu.Lock()
			b.ended = fmt.Errorf("the browser ended: %w", err)
			for _, c := range b.calls {
				close(c)
			}
			b.calls = nil
			b.mu.Unlock()
			return
		}
		var m message
		if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m); err != nil {
			continue
		}
		b.mu.Lock()
		if m.ID != 0 {
			if c := b.calls[m.ID]; c != nil {
				c <- m
				delete(b.calls, m.ID)
			}
		} else if t := b.tabs[m.Session]; t != nil {
			t.event(m)
		}
		b.mu.Unlock()
	}
}

// call makes a call and returns its result.
func (b *browser) call(session, method string, params any) (json.RawMessage, error) {
	if params == nil {
		params = struct{}{}
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	if b.ended != nil {
		b.mu.Unlock()
		return nil, b.ended
	}
	b.lastID++
	id := b.lastID
	b.calls[id] = answer
	text, _ := json.Marshal(message{ID: id, Session: session, Method: method, Params: raw})
	_, err = b.in.Write(append(text, 0))
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: the browser ended", method)
		case m.Error != nil:
			return nil, fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		return m.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: the browser does not answer", method)
	}
}

// A tab shows a page. It collects what must not happen: scripts that fail, what the
// page's policy refused, and dialogs.
type tab struct {
	t       *testing.T
	browser *browser
	session string
	faults  []string // guarded by the browser's mutex
}

// open opens a tab of the given size, and fails the test if the page does what none may.
// It skips the test where there is no browser.
func open(t *testing.T, url string, width, height int) *tab {
	t.Helper()
	b, err := shared()
	if errors.Is(err, errNoBrowser) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var target struct{ TargetID string }
	var attached struct{ SessionID string }
	decode := func(raw json.RawMessage, err error, into any) {
		t.Helper()
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	raw, err := b.call("", "Target.createTarget", map[string]any{"url": "about:blank"})
	decode(raw, err, &target)
	raw, err = b.call("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	decode(raw, err, &attached)
	p := &tab{t: t, browser: b, session: attached.SessionID}
	b.mu.Lock()
	b.tabs[p.session] = p
	b.mu.Unlock()
	t.Cleanup(func() {
		b.call("", "Target.closeTarget", map[string]any{"targetId": target.TargetID})
		b.mu.Lock()
		delete(b.tabs, p.session)
		faults := p.faults
		b.mu.Unlock()
		for _, fault := range faults {
			t.Error("in the browser:", fault)
		}
	})
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		p.call(domain+".enable", nil)
	}
	p.size(width, height)
	p.call("Page.navigate", map[string]any{"url": url})
	return p
}

// event is called with the browser's mutex locked, by the goroutine that reads.
func (p *tab) event(m message) {
	switch m.Method {
	case "Runtime.exceptionThrown", "Page.javascriptDialogOpening":
		p.faults = append(p.faults, m.Method+" "+string(m.Params))
	case "Log.entryAdded":
		if bytes.Contains(m.Params, []byte(`"level":"error"`)) && !bytes.Contains(m.Params, []byte("favicon.ico")) {
			p.faults = append(p.faults, string(m.Params))
		}
	}
}

// pardon forgets the faults that contain a text, which the test has brought about.
func (p *tab) pardon(text string) {
	p.browser.mu.Lock()
	defer p.browser.mu.Unlock()
	p.faults = slices.DeleteFunc(p.faults, func(f string) bool { return strings.Contains(f, text) })
}

func (p *tab) call(method string, params any) json.RawMessage {
	p.t.Helper()
	raw, err := p.browser.call(p.session, method, params)
	if err != nil {
		p.t.Fatal(err)
	}
	return raw
}

func (p *tab) size(width, height int) {
	p.t.Helper()
	p.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false})
}

// scheme sets what the user prefers, "dark" or "light".
func (p *tab) scheme(s string) {
	p.t.Helper()
	p.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": s}}})
}

// eval evaluates an expression in the page. A promise is waited for.
func (p *tab) eval(expression string) any {
	p.t.Helper()
	var answer struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	raw := p.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true})
	if err := json.Unmarshal(raw, &answer); err != nil {
		p.t.Fatal(err)
	}
	if answer.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s", expression, answer.ExceptionDetails)
	}
	return answer.Result.Value
}

// until waits until an expression is true in the page.
func (p *tab) until(what, expression string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); p.eval("Boolean("+expression+")") != true; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("never happened: %s. The page shows:\n%s", what, p.eval("document.body.innerText"))
		}
	}
}

// has waits until the page shows a text in the element of a selector.
func (p *tab) has(selector, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s shows %q", selector, text), fmt.Sprintf(
		`[...document.querySelectorAll(%q)].some(e => e.innerText.replace(/\s+/g, ' ').includes(%q))`, selector, text))
}

// hasNot waits until the page does not show a text in an element of a selector.
func (p *tab) hasNot(selector, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s does not show %q", selector, text), fmt.Sprintf(
		`![...document.querySelectorAll(%q)].some(e => e.innerText.replace(/\s+/g, ' ').includes(%q))`, selector, text))
}

// click clicks on the first element of a selector that contains a text, as a mouse would.
func (p *tab) click(selector, text string) {
	p.t.Helper()
	p.has(selector, text)
	at, ok := p.eval(fmt.Sprintf(`(() => {
		const e = [...document.querySelectorAll(%q)].find(e => e.innerText.replace(/\s+/g, ' ').includes(%q));
		e.scrollIntoView({block: 'nearest'});
		const r = e.getBoundingClientRect();
		return [r.left + Math.min(r.width / 2, 60), r.top + r.height / 2];
	})()`, selector, text)).([]any)
	if !ok {
		p.t.Fatal("there is no place to click on")
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1})
	}
}

// press presses keys, one after the other.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		params := map[string]any{"type": "keyDown", "key": key}
		switch {
		case len(key) == 1:
			params["text"] = key
		case key == "Enter":
			params["text"], params["windowsVirtualKeyCode"] = "\r", 13
		case key == "Tab":
			params["windowsVirtualKeyCode"] = 9
		}
		p.call("Input.dispatchKeyEvent", params)
		p.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key})
	}
}

// write types a text into the element that has the focus.
func (p *tab) write(text string) {
	p.t.Helper()
	p.call("Input.insertText", map[string]any{"text": text})
}

// picture returns what the tab shows, as PNG.
func (p *tab) picture() []byte {
	p.t.Helper()
	var shot struct{ Data string }
	if err := json.Unmarshal(p.call("Page.captureScreenshot", map[string]any{"format": "png"}), &shot); err != nil {
		p.t.Fatal(err)
	}
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		p.t.Fatal(err)
	}
	return png
}
