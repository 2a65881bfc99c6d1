package file_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/vault/file"
)

// childEnv turns the test binary into a child of one of these tests.
const childEnv = "VAULT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	os.Exit(childCounts(os.Args[1], os.Args[2]))
}

func child(t *testing.T, path string, times int) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, path, strconv.Itoa(times))
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stderr = os.Stderr
	return cmd
}

// childCounts increments the number in a secret, so often, and says each that it made.
func childCounts(path, times string) int {
	left, err := strconv.Atoi(times)
	if err == nil {
		var v *file.Vault
		v, err = file.Open(path)
		for err == nil && left > 0 {
			var n int
			n, err = increment(v)
			if errors.Is(err, vault.ErrConflict) {
				err = nil
				continue
			}
			left--
			fmt.Println(n)
			time.Sleep(time.Millisecond) // nobody does this all the time
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	return 0
}

func increment(v *file.Vault) (n int, err error) {
	secret, err := v.Get(context.Background(), "count")
	if err != nil {
		return 0, err
	}
	if n, err = strconv.Atoi(string(secret.Value)); err != nil {
		return 0, err
	}
	_, err = v.Replace(context.Background(), "count", secret.Version, strconv.AppendInt(nil, int64(n+1), 10))
	return n + 1, err
}

// TestProcesses has several processes count in one file.
func TestProcesses(t *testing.T) {
	t.Parallel()
	const processes, times = 4, 25
	path := filepath.Join(t.TempDir(), "secrets.json")
	v := mustOpen(t, path)
	mustCreate(t, v, "count", []byte("0"))
	var wg sync.WaitGroup
	for range processes {
		cmd := child(t, path, times)
		wg.Go(func() {
			if err := cmd.Run(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	secret, err := v.Get(t.Context(), "count")
	if err != nil || string(secret.Value) != strconv.Itoa(processes*times) {
		t.Errorf("counted to %s, %v; want %d", secret.Value, err, processes*times)
	}
}

// TestKilled kills a process at any moment: the file holds what the process said last, or one more.
func TestKilled(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := filepath.Join(t.TempDir(), "secrets.json")
		mustCreate(t, mustOpen(t, path), "count", []byte("0"))
		cmd := child(t, path, 1000)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err = cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said, known := bufio.NewReader(out), 0
		for range 1 + rand.N(5) {
			if _, err = fmt.Fscanln(said, &known); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(rand.N(5 * time.Millisecond))
		_ = cmd.Process.Kill()
		for err == nil { // what it said before it died
			_, err = fmt.Fscanln(said, &known)
		}
		_ = cmd.Wait()

		v := mustOpen(t, path)
		n, err := increment(v)
		if err != nil || n != known+1 && n != known+2 {
			t.Errorf("counted on to %d, %v; the process that was killed had said %d", n, err, known)
		}
		wantNoRest(t, path)
	}
}

// TestLeftBehind finds the unfinished file of a process that died before it renamed it.
func TestLeftBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	v := mustOpen(t, path)
	version := mustCreate(t, v, "one", []byte("first"))
	if err := os.WriteFile(path+".new", []byte(`{"format":1,"secrets":{"one":{"vers`), 0o666); err != nil {
		t.Fatal(err)
	}
	v = mustOpen(t, path)
	wantValue(t, v, "one", version, "first")
	version, err := v.Replace(t.Context(), "one", version, []byte("second"))
	if err != nil {
		t.Fatal(err)
	}
	wantValue(t, mustOpen(t, path), "one", version, "second")
	wantNoRest(t, path)
}

// wantNoRest checks that nothing lies beside the file but its lock.
func wantNoRest(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); name != filepath.Base(path) && name != filepath.Base(path)+".lock" {
			t.Errorf("%s was left behind", name)
		}
	}
}
