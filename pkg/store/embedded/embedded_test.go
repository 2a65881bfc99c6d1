package embedded_test

import (
	"path/filepath"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/embedded"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/tabletest"
)

func TestTable(t *testing.T) {
	t.Parallel()
	tabletest.Run(t, func(t *testing.T) store.Table {
		return mustOpen(t, filepath.Join(t.TempDir(), "data.db"))
	})
}

func TestTableOneFile(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, filepath.Join(t.TempDir(), "data.db"))
	tabletest.Run(t, func(*testing.T) store.Table { return db })
}

func TestTableEach(t *testing.T) {
	t.Parallel()
	tabletest.Run(t, func(t *testing.T) store.Table {
		return embedded.Each(filepath.Join(t.TempDir(), "new folder", "budget.db"))
	})
}

func mustOpen(t *testing.T, path string) *embedded.DB {
	t.Helper()
	db, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
