package http

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// scenes are handlers that use what a server has to get right.
func scenes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Method+" "+r.Host+" "+r.URL.String())
	})
	m.HandleFunc("/nothing", func(w http.ResponseWriter, r *http.Request) {})
	m.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		p, err := io.ReadAll(r.Body)
		w.Header().Set("Trailers", strconv.Itoa(len(r.Trailer)))
		w.Write(p)
		if err != nil {
			io.WriteString(w, "failed")
		}
	})
	m.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			io.WriteString(w, strings.Repeat(strconv.Itoa(i), 10))
			w.(http.Flusher).Flush()
		}
	})
	m.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		for i := range 9 {
			w.Write(bytes.Repeat([]byte{'a' + byte(i)}, 1000*i))
		}
	})
	m.HandleFunc("/copy", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100000")
		io.Copy(w, strings.NewReader(strings.Repeat("x", 100000)))
	})
	m.HandleFunc("/copychunked", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("x", 5000)), 4000))
	})
	m.HandleFunc("/close", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		io.WriteString(w, "bye")
	})
	m.HandleFunc("/short", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "12345")
	})
	m.HandleFunc("/toolong", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		if _, err := io.WriteString(w, "12345"); err != http.ErrContentLength {
			panic(err)
		}
		io.WriteString(w, "")
	})
	m.HandleFunc("/badlength", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "-7")
		io.WriteString(w, "12345")
	})
	m.HandleFunc("/code/", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Path[len("/code/"):])
		w.Header().Set("Content-Type", "text/x")
		w.WriteHeader(n)
		w.WriteHeader(n)
		io.WriteString(w, "body")
	})
	m.HandleFunc("/early", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</x>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusContinue)
		io.WriteString(w, "late")
	})
	m.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum, content-length, If-Match")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "5")
		w.Header().Set(http.TrailerPrefix+"X-Late", "6")
	})
	m.HandleFunc("/trailers/late", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"X-Late", "6")
	})
	m.HandleFunc("/identity", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Transfer-Encoding", "identity")
		io.WriteString(w, "until the end")
	})
	m.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Transfer-Encoding", "chunked")
		w.Header().Set("Content-Length", "4")
		io.WriteString(w, "body")
	})
	m.HandleFunc("/encoded", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		w.Header()["Date"] = nil
		io.WriteString(w, "<html>")
	})
	m.HandleFunc("/late", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(201)
		w.Header().Set("X-Late", "too late")
		io.WriteString(w, "<html>")
	})
	m.HandleFunc("/keep", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "keep-alive")
		w.Header().Set("Content-Length", "2")
		io.WriteString(w, "ok")
	})
	m.HandleFunc("/some", func(w http.ResponseWriter, r *http.Request) {
		p := make([]byte, 3)
		n, _ := io.ReadFull(r.Body, p)
		w.Write(p[:n])
	})
	m.HandleFunc("/closebody", func(w http.ResponseWriter, r *http.Request) {
		r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		io.WriteString(w, err.Error())
	})
	m.HandleFunc("/duplex", func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		io.WriteString(w, "first ")
		w.(http.Flusher).Flush()
		p, _ := io.ReadAll(r.Body)
		w.Write(p)
	})
	m.HandleFunc("/abort", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("a", 3000))
		panic(http.ErrAbortHandler)
	})
	m.HandleFunc("/panic", func(w http.ResponseWriter, r *http.Request) { panic("boom") })
	m.HandleFunc("/hijack", func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		rw.WriteString("mine: ")
		io.Copy(rw, rw)
		rw.Flush()
	})
	m.HandleFunc("/switch", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "x")
		w.WriteHeader(http.StatusSwitchingProtocols)
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		rw.WriteString("switched")
		rw.Flush()
	})
	m.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.FormValue("a")) })
	return m
}

const host = "Host: example.com\r\n"

// requests are sent to both servers, and seed the fuzzer.
func requests() (all []string) {
	for _, path := range []string{"/", "/nothing", "/stream", "/large", "/copy", "/copychunked", "/close", "/short", "/toolong", "/badlength",
		"/code/200", "/code/204", "/code/304", "/code/404", "/code/418", "/code/799", "/code/101", "/early", "/trailers", "/trailers/late",
		"/identity", "/chunked", "/encoded", "/late", "/keep", "/abort", "/panic", "/hijack", "/switch", "//x/../y", "*"} {
		for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
			for _, version := range []string{"1.1", "1.0"} {
				one := method + " " + path + " HTTP/" + version + "\r\n" + host + "\r\n"
				all = append(all, one+one)
			}
		}
		all = append(all, "GET "+path+" HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
			"GET "+path+" HTTP/1.1\r\n"+host+"Connection: close\r\n\r\nGET / HTTP/1.1\r\n"+host+"\r\n",
			"GET "+path+" HTTP/1.1\r\n"+host+"Connection: Keep-Alive, CLOSE\r\n\r\nGET / HTTP/1.1\r\n"+host+"\r\n")
	}
	next := "GET /next HTTP/1.1\r\n" + host + "\r\n"
	for _, path := range []string{"/echo", "/some", "/nothing", "/closebody", "/duplex", "/stream", "/hijack", "/form", "/early", "/close", "/panic"} {
		for _, rest := range []string{
			"Content-Length: 5\r\n\r\nhello",
			"Content-Length: 5\r\n\r\nhell",
			"Content-Length: 0\r\n\r\n",
			"Content-Length: 300000\r\n\r\n" + strings.Repeat("b", 300000),
			"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
			"Transfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nX: y\r\n\r\n",
			"Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
			"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
			"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
			"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX y\r\n\r\n",
			"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
			"Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
			"Expect: 100-continue\r\n\r\n",
			"Expect: more\r\nContent-Length: 5\r\n\r\nhello",
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b",
		} {
			all = append(all, "POST "+path+" HTTP/1.1\r\n"+host+rest+next)
		}
		all = append(all, "POST "+path+" HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
	}
	for _, head := range []string{ // smuggling, and what is no HTTP
		"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"Content-Length: 5, 5\r\n\r\nhello",
		"Content-Length: +5\r\n\r\nhello",
		"Content-Length: -5\r\n\r\nhello",
		"Content-Length: 0x5\r\n\r\nhello",
		"Content-Length:\r\n\r\nhello",
		"Content-Length: 5 \r\n\r\nhello",
		"Content-Length: 99999999999999999999\r\n\r\nhello",
		"Content-Length : 5\r\n\r\nhello",
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: identity\r\n\r\n",
		"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding:\r\n\r\n",
		"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		" Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"X: a\r\n b\r\n\r\n",
		"X: a\nY: b\n\n",
		"X: a\rY: b\r\n\r\n",
		"X: a\x00b\r\n\r\n",
		"X: a\x7fb\r\n\r\n",
		"X: \xff\r\n\r\n",
		"X\x00: a\r\n\r\n",
		"X Y: a\r\n\r\n",
		": a\r\n\r\n",
		"X\r\n\r\n",
		"Host: again\r\n\r\n",
		"host: again\r\n\r\n",
		"X: " + strings.Repeat("x", 5000) + "\r\n\r\n",
	} {
		all = append(all, "POST /echo HTTP/1.1\r\n"+host+head+next)
	}
	all = append(all,
		"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n b\r\n\r\n", "GET http://other/x HTTP/1.1\r\n\r\n",
		"GET http://other/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://other/x HTTP/1.1\r\nHost: a b\r\n\r\n", "GET http://other/x HTTP/1.1\r\nHost : a\r\n\r\n",
		"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n", "CONNECT /x HTTP/1.1\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: b c\r\n\r\n",
		"GET / HTTP/1.2\r\n"+host+"\r\n", "GET / HTTP/2.0\r\n"+host+"\r\n", "GET / HTTP/0.9\r\n\r\n", "GET / HTTP/1.10\r\n\r\n", "GET / http/1.1\r\n\r\n",
		"GET /\r\n\r\n", "GET\r\n\r\n", "\r\n\r\n", "\r\nGET / HTTP/1.1\r\n"+host+"\r\n", "", "G", "GET / HTTP/1.1\r\nHos", "GET / HTTP/1.1", "GET / HTTP/1.1\r\n",
		"G@T / HTTP/1.1\r\n"+host+"\r\n", "GE\x00T / HTTP/1.1\r\n"+host+"\r\n", "GET  / HTTP/1.1\r\n"+host+"\r\n", "GET / HTTP/1.1 \r\n"+host+"\r\n",
		"GET /a b HTTP/1.1\r\n"+host+"\r\n", "GET x HTTP/1.1\r\n"+host+"\r\n", "GET /%zz HTTP/1.1\r\n"+host+"\r\n", "GET /\x01 HTTP/1.1\r\n"+host+"\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/2.0\r\nHost: a\r\n\r\nSM\r\n\r\n", "OPTIONS * HTTP/1.1\r\n"+host+"Content-Length: 5000\r\n\r\n"+strings.Repeat("x", 5000)+next,
		"POST /echo HTTP/1.1\r\n"+host+"Content-Length: 1\r\n\r\nx\r\n"+next, "POST /echo HTTP/1.1\r\n"+host+"Content-Length: 1\r\n\r\nx\r\n\r\n\r\n"+next,
		"GET / HTTP/1.1\r\n"+host+"X: "+strings.Repeat("y", 20000)+"\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		strings.Repeat("x", 20000), strings.Repeat(next, 50),
	)
	return all
}

var dates = regexp.MustCompile(`(?m)^Date: .*\r\n`)

// maxHeader is the MaxHeaderBytes of both servers.
const maxHeader = 8 << 10

type both struct{ ours, std string }

func serveBoth(t testing.TB) both {
	ours := serve(t, &Server{Handler: scenes(), MaxHeaderBytes: maxHeader})
	return both{ours.addr, std(t, &http.Server{Handler: scenes(), MaxHeaderBytes: maxHeader})}
}

// same reports whether two answers are the same, as far as they have arrived: a
// server that closes a connection with unread input may reset it.
func same(a, b string) bool {
	a, cutA := strings.CutSuffix(a, reset)
	b, cutB := strings.CutSuffix(b, reset)
	return a == b || cutA && strings.HasPrefix(b, a) || cutB && strings.HasPrefix(a, b)
}

// check reports a difference of the servers' answers.
func (b both) check(t testing.TB, input string) {
	t.Helper()
	got := dates.ReplaceAllString(exchange(t, b.ours, input), "")
	want := dates.ReplaceAllString(exchange(t, b.std, input), "")
	if same(got, want) {
		return
	}
	t.Errorf("for %.300q\ngot  %.900q\nwant %.900q", input, got, want)
}

// TestSameAnswers: the server gives the standard library's answers.
func TestSameAnswers(t *testing.T) {
	b := serveBoth(t)
	for _, input := range requests() {
		b.check(t, input)
	}
}

// FuzzSameAnswers sends what the fuzzer finds to both servers.
func FuzzSameAnswers(f *testing.F) {
	for i, input := range requests() {
		if len(input) < 1000 && i%6 == 0 { // each costs two connections before the fuzzer begins
			f.Add(input)
		}
	}
	b := serveBoth(f)
	f.Fuzz(func(t *testing.T, input string) { b.check(t, input) })
}
