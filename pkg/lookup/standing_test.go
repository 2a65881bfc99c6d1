package lookup_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez/ownerreztest"
)

func (h *house) standings() []lookup.Standing {
	h.t.Helper()
	list, err := lookup.Standings(h.t.Context(), h.store, h.job.Credentials, h.job.Settings, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func TestStandings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		h.property(4401, "America/Chicago")
		if list := h.standings(); len(list) != 1 || list[0] != (lookup.Standing{Status: lookup.StatusNew}) {
			t.Errorf("before the first lookup: %+v", list)
		}
		h.lookup()
		read := time.Now().UTC()
		want := lookup.Standing{Account: testAccount, Status: lookup.StatusOK, AsOf: read}
		if list := h.standings(); len(list) != 1 || list[0] != want {
			t.Errorf("after it: %+v, want %+v", list, want)
		}
		wait(61 * time.Minute) // and nobody looks
		list := h.standings()
		if len(list) != 1 || list[0].Status != lookup.StatusLate || !strings.Contains(list[0].Problem, "old") || list[0].Next == "" {
			t.Errorf("an hour without lookups: %+v", list)
		}
		h.token = "pt_testwrong"
		h.wake(lookup.Wake{Key: h.credentialKey()})
		list = h.standings()
		if len(list) != 2 || list[0].Account != 0 || list[0].Status != lookup.StatusLate || list[0].Problem == "" || list[0].Next == "" ||
			list[1].Account != testAccount {
			t.Errorf("a wrong token beside the account: %+v", list)
		}
		text, err := json.Marshal(lookup.Standing{Account: 1, Status: lookup.StatusOK, AsOf: time.Unix(0, 0).UTC(), Problem: "p", Next: "n"})
		if want := `{"account":1,"status":"ok","as_of":"1970-01-01T00:00:00Z","problem":"p","next":"n"}`; err != nil || string(text) != want {
			t.Errorf("%s, %v; want %s", text, err, want)
		}
	})
}

// A secret that was filled in a wrong way is told to the operator, in each way; accounts that are known go on as
// far as they can, and nothing is taken for trouble of our own.
func TestMisconfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		h.property(4401, "America/Chicago")
		h.lookup()
		credential := h.credentialKey()
		h.job.Credentials = func(context.Context) ([]account.Credential, error) {
			return nil, &account.MalformedError{Secret: "personal token", Why: "is no JSON", Example: account.PersonalExample}
		}
		list := h.standings()
		if len(list) != 2 || !strings.Contains(list[0].Problem, "is no JSON") || !strings.Contains(list[0].Next, account.PersonalExample) {
			t.Errorf("%+v", list)
		}
		wait(20 * time.Minute)
		var woken []string
		err := h.job.Tick(t.Context(), func(_ context.Context, w lookup.Wake) error {
			woken = append(woken, w.Key)
			return nil
		})
		if err != nil || len(woken) != 1 || woken[0] != lookup.AccountKey(testAccount) {
			t.Errorf("the tick woke %v, %v", woken, err)
		}
		before := len(h.server.Requests())
		for _, key := range []string{lookup.AccountKey(testAccount), credential} {
			out, err := h.job.Run(t.Context(), lookup.Wake{Key: key})
			if err != nil || len(out.Problems) == 0 || !strings.Contains(out.Problems[0].Message, "is no JSON") {
				t.Errorf("run of %s: %+v, %v", key, out, err)
			}
		}
		if after := len(h.server.Requests()); after != before {
			t.Errorf("%d requests were sent", after-before)
		}
	})
}

// A lane that read the credentials some time ago finds one that was added since.
func TestReread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		h.property(4401, "America/Chicago")
		key := h.credentialKey()
		fresh := h.job.Credentials
		var read bool
		h.job.Credentials = func(ctx context.Context) ([]account.Credential, error) {
			if !read {
				return nil, nil
			}
			return fresh(ctx)
		}
		h.job.Reread = func() { read = true }
		out, err := h.job.Run(t.Context(), lookup.Wake{Key: key})
		if err != nil || out.Account != testAccount {
			t.Errorf("%+v, %v", out, err)
		}
		trouble := errors.New("the vault is down")
		h.job.Credentials = func(context.Context) ([]account.Credential, error) { return nil, trouble }
		for _, key := range []string{key, lookup.AccountKey(testAccount)} {
			if _, err := h.job.Run(t.Context(), lookup.Wake{Key: key}); !errors.Is(err, trouble) {
				t.Errorf("run of %s while the vault is down: %v", key, err)
			}
		}
	})
}

func TestOutcomeFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, ownerreztest.Quirks{})
		h.property(4401, "America/Chicago")
		if out := h.lookup(); out.Failed {
			t.Errorf("%+v", out)
		}
		h.server.Fault(ownerreztest.Fault{Times: -1, Do: ownerreztest.Status(500)})
		wait(15 * time.Minute)
		if out := h.lookup(); !out.Failed {
			t.Errorf("with 500s: %+v", out)
		}
	})
}
