package operator

import (
	"errors"
	"fmt"
)

// said is how a command is said here; account 0: without one.
func (d Desk) said(command string, account int64) string {
	switch {
	case d.Local && account == 0:
		return fmt.Sprintf(`"ownerrez accounts %s"`, command)
	case d.Local:
		return fmt.Sprintf(`"ownerrez accounts %s %d"`, command, account)
	case account == 0:
		return fmt.Sprintf(`{"command":%q}`, command)
	}
	return fmt.Sprintf(`{"command":%q,"account":%d}`, command, account)
}

// needsAccount is the error of a command without the account that it is about.
func (d Desk) needsAccount(command string) error {
	verb := "send"
	if d.Local {
		verb = "say"
	}
	return errors.New(command + " needs an account: " + verb + " " + d.said(command, 123456) + "; " + d.said("list", 0) + " lists them")
}

// unknown is the error of a command about an account that is not there.
func (d Desk) unknown(id int64) error {
	return fmt.Errorf("account %d is not known here; %s lists those that are", id, d.said("list", 0))
}

// here is what is said on a computer, or of a stack.
func (d Desk) here(local, stack string) string {
	if d.Local {
		return local
	}
	return stack
}

// seeLookups is what to look at where lookups do not come.
func (d Desk) seeLookups() string {
	return d.here(`See that "ownerrez serve" runs, and what it says.`,
		"See that the schedule is on, and what the log of the lookups says.")
}
