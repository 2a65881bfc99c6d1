package functions_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

// stackPressed is the consent page of a host who presses the button: what a page with a form and somebody before it are,
// for a browser with nobody before it.
const stackPressed = `<!DOCTYPE html><title>Authorize</title><form method="post"></form>
<script>
const form = document.forms[0], fields = [...new URLSearchParams(location.search), ["account", "654321"], ["decision", "allow"]];
for (const [name, value] of fields) {
	const input = document.createElement("input");
	input.type = "hidden"; input.name = name; input.value = value;
	form.append(input);
}
form.action = location.pathname;
form.submit();
</script>`

// chromium has a real browser go from the invitation to the connected page: it takes our cookies, and sends them when
// OwnerRez sends it back.
func (s *stack) chromium(t *testing.T) {
	command, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv(stackRequired) != "" {
			t.Fatalf("needs Chromium: %v", err)
		}
		t.Skipf("needs Chromium: %v", err)
	}
	out := s.browse(t, command, s.invite(t, stackOther, "", "https://partner.example.com/done"))
	page := stackPageSeen{body: string(out)}
	if h := page.heading(); h != "Connected again" || !strings.Contains(page.words(), "“Somebody” (654321)") {
		t.Fatalf("the browser ends at %q: %s", h, page.words())
	}
	s.show(out)
	s.idle(t)
	s.statusIs(t, stackOther, lookup.StatusOK)
	s.equalsTruth(t, stackOther)
}

// stackPatience is for how long Chromium waits for what follows, by a clock that stands still while it loads something:
// less than the time after which our page loads itself again, since that stops the clock for good.
const stackPatience = "--virtual-time-budget=4000"

// browse opens a link in Chromium, and returns what stands there in the end.
func (s *stack) browse(t *testing.T, command, link string) []byte {
	t.Helper()
	s.server.Fault(ownerreztest.Fault{
		Match: func(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Path == "/oauth/authorize" },
		Do:    ownerreztest.Body(http.StatusOK, "text/html; charset=utf-8", stackPressed),
	})
	defer s.server.ClearFaults()
	profile, err := os.MkdirTemp(scratch, "chromium") //nolint:usetesting // Chromium may still be writing when the test ends
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	run := exec.CommandContext(ctx, command, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
		"--user-data-dir="+profile, stackPatience, "--dump-dom", link)
	run.WaitDelay = time.Second
	began := time.Now()
	out, err := run.Output()
	t.Logf("Chromium took %s", time.Since(began).Round(100*time.Millisecond))
	if err != nil {
		t.Fatalf("Chromium failed: %v", err)
	}
	return out
}
