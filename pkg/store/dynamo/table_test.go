package dynamo_test

import (
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store"
	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/store/tabletest"
)

func TestTable(t *testing.T) {
	e := start(t)
	var table store.Table = e.table()
	if !e.takesFullTransactions(t) {
		table = halves{table}
	}
	tabletest.Run(t, func(*testing.T) store.Table { return table })
}
