package ownerrez_test

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

// The commands of OwnerRez's page about authentication, as they stand there.
const (
	curlPAT   = `curl -u wylie@acme.com:pt_faaaast -i -X GET https://app.ownerrez.com/api/properties/lookup -H "Content-Type:application/json"`
	curlOAuth = `curl -H "Authorization: bearer at_foobarbaz" -A "My Awesome App/1.0 (c_51234234)" -i -X GET https://app.ownerrez.com/api/properties/lookup -H "Content-Type: application/json"`
)

// seen is what a server can tell of a request that matters here.
type seen struct {
	Method, URI, Host, Scheme, Credentials, ContentType, UserAgent string
}

// Lookup sends what the page's commands send.
func TestLookupSendsWhatThePageShows(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("needs curl")
	}
	requests := make(chan seen, 10)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		requests <- seen{r.Method, r.RequestURI, r.Host, strings.ToLower(scheme), credentials, r.Header.Get("Content-Type"), r.UserAgent()}
		_, _ = io.WriteString(w, `[{"Id":4401,"Key":"k","Name":"Pine Cabin","ExternalName":"Pine","InternalCode":"PINE","New":true}]`)
	}))
	defer srv.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}
	if err = os.WriteFile(ca, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	app, err := ownerrez.ParseApp("My Awesome App/1.0 (c_51234234)")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		command string
		auth    ownerrez.Auth
		agent   bool // compare the User-Agent too
	}{
		"personal token": {curlPAT, ownerrez.PAT("wylie@acme.com", "pt_faaaast"), false},
		"OAuth":          {curlOAuth, ownerrez.OAuth(app, ownerrez.StaticToken("at_foobarbaz")), true},
	} {
		t.Run(name, func(t *testing.T) {
			command := strings.Replace(test.command, "app.ownerrez.com", strings.TrimPrefix(srv.URL, "https://"), 1)
			cmd := exec.Command("sh", "-c", command)
			cmd.Env = []string{"PATH=" + filepath.Dir(curl) + ":" + os.Getenv("PATH"), "CURL_CA_BUNDLE=" + ca, "CURL_HOME=" + t.TempDir(), "HOME=" + t.TempDir(), "NO_PROXY=*"}
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Pine Cabin") {
				t.Fatalf("curl: %v\n%s", err, out)
			}
			want := <-requests

			c, err := ownerrez.New(test.auth, ownerrez.WithAppURL(srv.URL), ownerrez.WithHTTPClient(srv.Client()))
			if err != nil {
				t.Fatal(err)
			}
			list, err := c.Properties.Lookup(t.Context())
			if err != nil || len(list) != 1 || list[0].ID != 4401 || list[0].Name != "Pine Cabin" || list[0].ExternalName != "Pine" || list[0].InternalCode != "PINE" || list[0].Key != "k" || string(list[0].Extra["New"]) != "true" {
				t.Errorf("%+v, %v", list, err)
			}
			got := <-requests
			if !test.agent {
				want.UserAgent, got.UserAgent = "", ""
			}
			if diff := cmp.Diff(want, got); diff != "" || want.Credentials == "" || want.Method != "GET" {
				t.Errorf("curl sent (-) and we sent (+):\n%s", diff)
			}
		})
	}
}
