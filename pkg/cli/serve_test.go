package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/web/calendar"
)

// running is a program that serves.
type running struct {
	url            string
	stdout, stderr *buffer
	end            context.CancelFunc
	code           chan int
}

// start starts a program, and waits until it says where it serves.
func (w *world) start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{stdout: &buffer{}, stderr: &buffer{}, end: cancel, code: make(chan int, 1)}
	go func() { r.code <- Main(ctx, append(args, "--addr", "127.0.0.1:0"), w.lookup, r.stdout, r.stderr) }()
	t.Cleanup(cancel)
	at := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	r.eventually(t, "it says where it serves", func() bool {
		r.url = at.FindString(r.stderr.String())
		return r.url != ""
	})
	return r
}

func (r *running) eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 10 s: %s\nstderr:\n%s", what, r.stderr)
		}
	}
}

// stop ends the program as Ctrl-C does, and wants it to end well within a second.
func (r *running) stop(t *testing.T) {
	t.Helper()
	began := time.Now()
	r.end()
	select {
	case code := <-r.code:
		if took := time.Since(began); code != 0 || took > time.Second {
			t.Errorf("exit code %d after %s\nstderr:\n%s", code, took, r.stderr)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
}

// get asks for a page with a Host, the server's own if it is empty.
func get(t *testing.T, url, host string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.start(t, "serve")
	r.eventually(t, "a lookup is reported", func() bool { return strings.Contains(r.stderr.String(), "account 123456: full lookup") })
	_, page := get(t, r.url, "")
	for _, want := range []string{"Lakeview Cabins", "Pine Cabin", "Cedar Loft", "Taken: booking 90", "Taken: block 90"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "invented") {
		t.Error("the page of a real account calls itself a demo")
	}
	var answer calendar.Accounts
	if code, body := get(t, r.url+"/v1/accounts", ""); code != http.StatusOK || json.Unmarshal([]byte(body), &answer) != nil ||
		len(answer.Accounts) != 1 || answer.Accounts[0].Account != 123456 || len(answer.Accounts[0].Properties) != 2 {
		t.Errorf("/v1/accounts: %d %s", code, body)
	}
	if !strings.Contains(r.stderr.String(), "nights changed, read less than a minute ago") {
		t.Errorf("stderr: %s", r.stderr)
	}
	r.stop(t)
	last := events(t, r.stdout.String())
	if last == 0 {
		t.Errorf("no events on stdout: %q", r.stdout)
	}

	// The next start goes on where this one ended.
	w.Put(123456, ownerreztest.Booking{PropertyID: 4402, Arrival: w.today.AddDays(9), Departure: w.today.AddDays(11)})
	asked := w.Count()
	again := w.start(t)
	if _, known := get(t, again.url, ""); !strings.Contains(known, "Taken: booking 90") {
		t.Error("after a new start the page knows nothing")
	}
	again.stop(t)
	for _, q := range w.Requests()[asked:] {
		if strings.HasSuffix(q.Path, "/users/me") {
			t.Error("after a new start it asks again whose the credentials are")
		}
	}
	for _, secret := range []string{token, "Basic "} {
		if all := r.stdout.String() + r.stderr.String() + page; strings.Contains(all, secret) {
			t.Errorf("%q was shown", secret)
		}
	}
}

// events checks that every line is an event, numbered without gaps from 1, and returns the last number.
func events(t *testing.T, lines string) (last int64) {
	t.Helper()
	for scan := bufio.NewScanner(strings.NewReader(lines)); scan.Scan(); {
		var event struct {
			Source string `json:"source"`
			Type   string `json:"detail-type"`
			Detail struct {
				Seq int64 `json:"seq"`
			} `json:"detail"`
		}
		if err := json.Unmarshal(scan.Bytes(), &event); err != nil {
			t.Fatalf("%v: %s", err, scan.Text())
		}
		if last++; event.Source != "ownerrez-lambda" || event.Type == "" || event.Detail.Seq != last {
			t.Errorf("want event %d: %s", last, scan.Text())
		}
	}
	return last
}

// What a lookup on the terminal found out is published by the next serve over its file.
func TestServePublishesWhatLookupFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := w.file("kept.db")
	found := w.run(t, append([]string{"lookup", "--json", "--data", data}, w.dates()...)...)
	found.want(t, 0)
	seq := *found.document(t).Seq
	w.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(500)}) // it needs no answers for that
	r := w.start(t, "serve", "--data", data)
	r.eventually(t, "the events are printed", func() bool { return int64(strings.Count(r.stdout.String(), "\n")) >= seq })
	r.stop(t)
	events(t, r.stdout.String())
}

func TestServeEndsInAHangingRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Fault(ownerreztest.Fault{Match: ownerreztest.MatchBookings, Times: -1, Do: ownerreztest.Hang()})
	r := w.start(t, "serve")
	r.eventually(t, "a read hangs", func() bool {
		for _, q := range w.Requests() {
			if strings.HasSuffix(q.Path, "/bookings") {
				return true
			}
		}
		return false
	})
	r.stop(t)
}

func TestServeSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t).with("OWNERREZ_TOKEN", "pt_wrong")
	r := w.start(t, "serve")
	r.eventually(t, "the wrong token is reported", func() bool { return strings.Contains(r.stderr.String(), "does not accept the token") })
	_, page := get(t, r.url, "")
	if !strings.Contains(page, "does not accept the token") {
		t.Error("the page does not say what is wrong")
	}
	r.stop(t)
}

func TestServeDemo(t *testing.T) {
	t.Parallel()
	w := newWorld(t).with("OWNERREZ_TOKEN", "", "OWNERREZ_EMAIL", "")
	r := w.start(t)
	r.eventually(t, "a lookup is reported", func() bool { return strings.Contains(r.stderr.String(), "full lookup") })
	if !strings.Contains(r.stderr.String(), "demo") {
		t.Errorf("it does not say that it is a demo: %s", r.stderr)
	}
	if _, page := get(t, r.url, ""); strings.Count(page, "<article") != 5 || !strings.Contains(page, "invented") {
		t.Errorf("the page shows %d properties", strings.Count(page, "<article"))
	}
	r.stop(t)
	if files := dataFiles(t, w); strings.Join(files, " ") != "demo.db" {
		t.Errorf("the demo keeps %v", files)
	}
}

// A page on the web cannot read the calendar through a host name of its own.
func TestServeOnlyForThisMachine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.start(t, "serve")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(r.url, "http://"))
	for host, want := range map[string]int{
		"": 200, "localhost": 200, "LOCALHOST:" + port: 200, "[::1]:" + port: 200, "127.0.0.1": 200, "127.8.8.8:80": 200,
		"evil.example": 403, "evil.example:" + port: 403, "127.0.0.1.evil.example": 403, "localhost.evil.example": 403, "192.168.1.5:" + port: 403, "0.0.0.0": 403,
	} {
		for _, path := range []string{"/", "/v1/accounts"} {
			if code, body := get(t, r.url+path, host); code != want || (want == 403 && strings.ContainsAny(body, "<{")) {
				t.Errorf("%s with Host %q: %d, want %d", path, host, code, want)
			}
		}
	}
	r.stop(t)
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	w := newWorld(t)
	for _, command := range []string{"serve", "ownerrez"} {
		r := w.run(t, command, "--addr", listener.Addr().String())
		r.want(t, 1, listener.Addr().String(), "already", "--addr")
		w.run(t, command, "--addr", "nonsense").want(t, 1, "nonsense", "--addr")
	}
}

func TestDemoOwnerRez(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.start(t, "ownerrez")
	r.eventually(t, "it shows how to try it", func() bool { return strings.Contains(r.stderr.String(), "ownerrez lookup --from") })
	for _, auth := range []ownerrez.Auth{
		ownerrez.PAT(ownerreztest.DemoEmail, ownerreztest.DemoPAT),
		ownerrez.OAuth(ownerrez.App{Name: "Test", Version: "1.0", ClientID: ownerreztest.DemoClientID}, ownerrez.StaticToken(ownerreztest.DemoAccessToken)),
	} {
		client, err := ownerrez.New(auth, ownerrez.WithAPIURL(r.url), ownerrez.WithAppURL(r.url))
		if err != nil {
			t.Fatal(err)
		}
		list, err := client.Properties.Lookup(t.Context())
		if err != nil || len(list) != 5 {
			t.Errorf("%d properties, %v", len(list), err)
		}
	}
	other := w.with("OWNERREZ_API_URL", r.url, "OWNERREZ_APP_URL", r.url, "OWNERREZ_EMAIL", ownerreztest.DemoEmail, "OWNERREZ_TOKEN", ownerreztest.DemoPAT)
	other.run(t, append([]string{"lookup"}, w.dates()...)...).want(t, 0)
	r.stop(t)
	if r.stdout.String() != "" {
		t.Errorf("stdout: %s", r.stdout)
	}
}
