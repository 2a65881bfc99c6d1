package lanes_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/lanes"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/queue/queuetest"
)

func TestConformance(t *testing.T) {
	queuetest.Run(t, func(t *testing.T, handler queue.Handler) queue.Sender {
		l := lanes.New(handler, 4, nil)
		t.Cleanup(func() { l.Close(t.Context()) })
		return l
	})
}

func send(t *testing.T, l *lanes.Lanes, group, id string) {
	t.Helper()
	if err := l.Send(t.Context(), queue.Message{Group: group, ID: id}); err != nil {
		t.Fatal(err)
	}
}

// No more handlers run than there are workers, and no group keeps the others waiting.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		l := lanes.New(func(_ context.Context, m queue.Message) error {
			order = append(order, m.ID)
			time.Sleep(time.Second)
			return nil
		}, 0, nil)
		for _, id := range []string{"a1", "a2", "a3", "b1", "b2", "c1"} {
			send(t, l, id[:1], id)
		}
		began := time.Now()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := strings.Join(order, " "); got != "a1 b1 c1 a2 b2 a3" {
			t.Errorf("handled %s", got)
		}
		if left := l.Close(t.Context()); left != 0 || time.Since(began) != 10*time.Second {
			t.Errorf("%d left after %s", left, time.Since(began))
		}
	})
}

func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		trouble := errors.New("trouble")
		var tries, told []string
		l := lanes.New(func(_ context.Context, m queue.Message) error {
			tries = append(tries, fmt.Sprint(m.ID, "@", time.Since(began)))
			if m.ID != "good" {
				return trouble
			}
			return nil
		}, 2, func(m queue.Message, err error) {
			if !errors.Is(err, trouble) {
				t.Errorf("told of %v", err)
			}
			told = append(told, fmt.Sprint(m.ID, " dropped:", errors.Is(err, lanes.ErrDropped)))
		})
		for _, id := range []string{"bad", "worse", "good"} {
			send(t, l, "g", id)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := strings.Join(tries, " "), "bad@0s bad@1s bad@3s bad@7s bad@15s worse@15s worse@16s worse@18s worse@22s worse@30s good@30s"; got != want {
			t.Errorf("tries %s, want %s", got, want)
		}
		if got, want := strings.Join(told, ", "), strings.Repeat("bad dropped:false, ", 4)+"bad dropped:true, "+
			strings.Repeat("worse dropped:false, ", 4)+"worse dropped:true"; got != want {
			t.Errorf("told %s, want %s", got, want)
		}
		send(t, l, "g", "bad")
		time.Sleep(2 * time.Second)
		if left := l.Close(t.Context()); left != 1 {
			t.Errorf("%d messages left, want the one that waits to come again", left)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var ran atomic.Int64
		l := lanes.New(func(ctx context.Context, m queue.Message) error {
			ran.Add(1)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Minute):
				return nil
			}
		}, 2, nil)
		for i := range 6 {
			send(t, l, fmt.Sprint(i/2), fmt.Sprint(i))
		}
		time.Sleep(time.Second)
		if left := l.Close(t.Context()); left != 4 || time.Since(began) != time.Minute || ran.Load() != 2 {
			t.Errorf("%d left after %s, %d ran; want 4 after a minute, and two", left, time.Since(began), ran.Load())
		}
		if err := l.Send(t.Context(), queue.Message{Group: "0"}); !errors.Is(err, lanes.ErrClosed) {
			t.Errorf("Send after Close: %v", err)
		}
		if left := l.Close(t.Context()); left != 4 {
			t.Errorf("%d left at the second Close", left)
		}
	})
}

func TestCloseCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := lanes.New(func(ctx context.Context, _ queue.Message) error {
			<-ctx.Done()
			time.Sleep(100 * time.Millisecond)
			return ctx.Err()
		}, 2, nil)
		send(t, l, "a", "1")
		send(t, l, "b", "2")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if left := l.Close(ctx); left != 2 || time.Since(began) != 1100*time.Millisecond {
			t.Errorf("%d left after %s, want both after 1.1s", left, time.Since(began))
		}
	})
}

// The sender may use its bytes again.
func TestBodyIsCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got string
		l := lanes.New(func(_ context.Context, m queue.Message) error {
			got = string(m.Body)
			return nil
		}, 1, nil)
		body := []byte("before")
		if err := l.Send(t.Context(), queue.Message{Body: body}); err != nil {
			t.Fatal(err)
		}
		copy(body, "behind")
		synctest.Wait()
		l.Close(t.Context())
		if got != "before" {
			t.Errorf("got %q", got)
		}
	})
}

// A handler's panic ends the process; this test does so in a child.
func TestPanic(t *testing.T) {
	if os.Getenv("LANES_TEST_PANIC") != "" {
		l := lanes.New(func(context.Context, queue.Message) error { panic("on purpose") }, 1, nil)
		send(t, l, "g", "1")
		time.Sleep(5 * time.Second)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, "-test.run", "^TestPanic$")
	child.Env = append(os.Environ(), "LANES_TEST_PANIC=1")
	out, err := child.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: on purpose") {
		t.Errorf("the child ended with %v:\n%s", err, out)
	}
}
