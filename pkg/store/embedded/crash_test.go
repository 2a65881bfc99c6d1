package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/availability"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
)

// childEnv turns the test binary into a child of one of these tests.
const childEnv = "EMBEDDED_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "commit":
		os.Exit(childCommits(os.Args[1], os.Args[2], os.Args[3]))
	case "count":
		os.Exit(childCounts(os.Args[1], os.Args[2]))
	}
}

func child(t *testing.T, job string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), childEnv+"="+job)
	cmd.Stderr = os.Stderr
	return cmd
}

// commits is how many commits a child makes that is left alone.
const commits = 6

var crashTime = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// commitNumber is the n-th commit of a run: the account's row, a record that each commit replaces, one that
// stays, and an event.
func commitNumber(n int64) lookup.Commit {
	row := lookup.Account{Key: lookup.AccountKey(7), Version: n - 1, ID: 7, Seq: n, Cursor: crashTime.Add(time.Duration(n) * time.Hour)}
	name := fmt.Sprintf("after commit %d", n)
	return lookup.Commit{
		Account: 7, Rows: []lookup.Account{row},
		Records: []availability.Record{{Property: 1, Known: true, Name: name}, {Property: 100 + n, Known: true, Name: name}},
		Events:  []lookup.Event{{Kind: lookup.AvailabilityChanged, Account: 7, Seq: n, Reason: name}},
	}
}

// childCommits makes commits, says so after each, and dies without a word before or after the n-th one.
func childCommits(path, when, number string) int {
	last, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fail(err)
	}
	db, err := embedded.Open(path)
	if err != nil {
		return fail(err)
	}
	s := store.New(db)
	for n := int64(1); n <= commits; n++ {
		if when == "before" && n == last {
			die()
		}
		if err := s.Commit(context.Background(), commitNumber(n)); err != nil {
			return fail(err)
		}
		fmt.Println(n)
		if when == "after" && n == last {
			die()
		}
	}
	return 0 // without closing the file
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "child:", err)
	return 1
}

// die ends the process as kill -9 does.
func die() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	time.Sleep(time.Minute)
}

// wantCommits reopens the file and finds the first n commits, whole, and nothing of any other.
func wantCommits(t *testing.T, path string, n int64) {
	t.Helper()
	db, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got, want := contents(t, db), contents(t, replay(t, n))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("not the first %d commits (-want +got):\n%s", n, diff)
	}
}

// replay makes the first n commits in a file of its own.
func replay(t *testing.T, n int64) *embedded.DB {
	t.Helper()
	db := mustOpen(t, filepath.Join(t.TempDir(), "want.db"))
	for i := range n {
		if err := store.New(db).Commit(t.Context(), commitNumber(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func contents(t *testing.T, db *embedded.DB) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, partition := range []string{"ACCOUNTS", "A#7"} {
		items, err := db.Query(t.Context(), partition, store.Range{})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			all[item.Key.String()] = fmt.Sprintf("%d %v %s", item.Version, item.Expires, item.Data)
		}
	}
	return all
}

// TestKilled kills a process before and after each of its commits.
func TestKilled(t *testing.T) {
	t.Parallel()
	for n := int64(1); n <= commits; n++ {
		for when, want := range map[string]int64{"before": n - 1, "after": n} {
			path := filepath.Join(t.TempDir(), "data.db")
			err := child(t, "commit", path, when, fmt.Sprint(n)).Run()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() == 1 {
				t.Fatalf("killed %s commit %d: the child ended with %v", when, n, err)
			}
			wantCommits(t, path, want)
		}
	}
}

// TestKilledAnywhere kills a process at any moment: what it said that it committed is there, and at most one
// commit more, whole.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := filepath.Join(t.TempDir(), "data.db")
		cmd := child(t, "commit", path, "never", "0")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := bufio.NewReader(out)
		var known int64
		for range rand.N(commits) {
			if _, err := fmt.Fscanln(said, &known); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(rand.N(2 * time.Millisecond))
		_ = cmd.Process.Kill()
		for { // what it said before it died
			if _, err := fmt.Fscanln(said, &known); errors.Is(err, io.EOF) || err != nil {
				break
			}
		}
		_ = cmd.Wait()
		wantCommits(t, path, max(known, stored(t, path, known)))
	}
}

// stored is the seq of the row in the file: known, or one more.
func stored(t *testing.T, path string, known int64) int64 {
	t.Helper()
	db, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	row, err := store.New(db).Account(t.Context(), lookup.AccountKey(7))
	if err != nil && !errors.Is(err, lookup.ErrNotFound) {
		t.Fatal(err)
	}
	if row.Seq > known+1 {
		t.Errorf("the file holds commit %d, of which the process said nothing after %d", row.Seq, known)
	}
	return row.Seq
}

// childCounts increments a number in a shared file.
func childCounts(path, times string) int {
	n, err := strconv.Atoi(times)
	if err != nil {
		return fail(err)
	}
	table := embedded.Each(path)
	ctx := context.Background()
	for n > 0 {
		item, err := table.Get(ctx, key("count"))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fail(err)
		}
		next := fmt.Appendf(nil, "%d", item.Version+1)
		err = table.Put(ctx, store.Write{Key: key("count"), Data: next, If: store.AtVersion(item.Version)})
		switch {
		case err == nil:
			n--
		case !errors.Is(err, store.ErrConflict):
			return fail(err)
		}
	}
	return 0
}

// TestEachProcesses has several processes count in one file, from the moment on at which it does not exist.
func TestEachProcesses(t *testing.T) {
	t.Parallel()
	const processes, times = 4, 25
	path := filepath.Join(t.TempDir(), "budget", "budget.db")
	var wg sync.WaitGroup
	for range processes {
		cmd := child(t, "count", path, fmt.Sprint(times))
		wg.Go(func() {
			if err := cmd.Run(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	item, err := embedded.Each(path).Get(t.Context(), key("count"))
	if err != nil || string(item.Data) != fmt.Sprint(processes*times) || item.Version != processes*times {
		t.Errorf("counted to %s at version %d, %v; want %d", item.Data, item.Version, err, processes*times)
	}
}
