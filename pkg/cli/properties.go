package cli

import (
	"bytes"
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/lookup"
)

type propertiesCommand struct {
	Demo bool `help:"List the properties of an invented account. Default: no."`
	JSON bool `name:"json" help:"Print JSON. Default: a table."`
}

// listed is a property in the answer of properties --json.
type listed struct {
	ID           int64  `json:"id"`
	Key          string `json:"key,omitempty"`
	Name         string `json:"name,omitempty"`
	ExternalName string `json:"external_name,omitempty"`
	InternalCode string `json:"internal_code,omitempty"`
}

// Run makes the one call, and prints its answer.
func (c *propertiesCommand) Run(ctx context.Context, p *program) error {
	conf, err := p.config(c.Demo)
	if err != nil {
		return err
	}
	up, err := p.openFor(ctx, conf, c.Demo)
	if err != nil {
		return err
	}
	defer up.close()
	list, err := p.list(ctx, up)
	if err != nil {
		message, next := lookup.Explain(err)
		p.say("%s %s", message, next)
		return errTold
	}
	if c.JSON {
		err = p.printJSON(list)
	} else {
		_, err = p.stdout.Write(listTable(list))
	}
	if err != nil {
		return fmt.Errorf("the answer could not be written: %w", err)
	}
	return nil
}

// list asks for the account's properties.
func (p *program) list(ctx context.Context, up *upstream) ([]listed, error) {
	opts, done, err := up.lease(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	client, err := up.cred.Open(append(opts, p.waiting(up)...)...)
	if err != nil {
		return nil, err
	}
	rows, err := client.Properties.Lookup(ctx)
	list := make([]listed, 0, len(rows))
	for _, r := range rows {
		list = append(list, listed{r.ID, r.Key, r.Name, r.ExternalName, r.InternalCode})
	}
	return list, err
}

func listTable(list []listed) []byte {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tNAME\tEXTERNAL NAME\tCODE") // a buffer takes everything
	for _, p := range list {
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", p.ID, printable(p.Name), printable(p.ExternalName), printable(p.InternalCode))
	}
	_ = w.Flush()
	return out.Bytes()
}
