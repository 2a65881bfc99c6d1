package functions_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// stackUse is something that a function does with the permissions of its role. It returns what it was denied, and ""
// if it was denied nothing; whatever else goes wrong ends the test.
type stackUse func(*stack, *testing.T) (denied string)

// stackUses tells for each action in each statement of the roles of the stack's functions what needs it.
var stackUses = map[string]stackUse{
	"Schedule Table dynamodb:Query":                (*stack).useSchedule,
	"Schedule Table dynamodb:GetItem":              (*stack).useSchedule,
	"Schedule Table dynamodb:PutItem":              (*stack).useSchedule,
	"Schedule WakeUps sqs:SendMessage":             (*stack).useSchedule,
	"Schedule Token secretsmanager:GetSecretValue": (*stack).useSchedule,
	"Lookup Table dynamodb:GetItem":                (*stack).useConnect,
	"Lookup Table dynamodb:PutItem":                (*stack).useConnect,
	"Lookup WakeUps sqs:SendMessage":               (*stack).useConnect,
	"Lookup Token secretsmanager:GetSecretValue":   (*stack).useConnect,
	"Lookup Table dynamodb:Query":                  (*stack).useLookup,
	"Lookup Events events:PutEvents":               (*stack).useLookup,
	"Lookup Lane sqs:ChangeMessageVisibility":      (*stack).usePoison,
	"Calendar Table dynamodb:Query":                (*stack).useCalendar,
	"Calendar Table dynamodb:GetItem":              (*stack).useCalendar,
	"Accounts Table dynamodb:Query":                (*stack).useAccounts,
	"Accounts Table dynamodb:GetItem":              (*stack).useAccounts,
	"Accounts Table dynamodb:PutItem":              (*stack).useAccounts,
	"Accounts Token secretsmanager:GetSecretValue": (*stack).useAccounts,
}

// stackUnchecked are actions that the emulator does not ask a role for: it is only seen that the role has them.
var stackUnchecked = map[string]string{
	"Lookup Lane sqs:ReceiveMessage":            "the emulator takes messages out by itself; AWS makes no event source mapping without it",
	"Lookup Lane sqs:DeleteMessage":             "the same",
	"Lookup Lane sqs:GetQueueAttributes":        "the same",
	"ScheduleEveryMinute lambda:InvokeFunction": "the emulator's Scheduler asks no role; AWS's does",
	"Schedule Logs logs:CreateLogStream":        "the emulator keeps logs by itself; on AWS there are none without it",
	"Schedule Logs logs:PutLogEvents":           "the same",
	"Lookup Logs logs:CreateLogStream":          "the same",
	"Lookup Logs logs:PutLogEvents":             "the same",
	"Calendar Logs logs:CreateLogStream":        "the same",
	"Calendar Logs logs:PutLogEvents":           "the same",
	"Accounts Logs logs:CreateLogStream":        "the same",
	"Accounts Logs logs:PutLogEvents":           "the same",
}

// eachPermission takes each action that accounts with personal tokens need from each role in turn.
func (s *stack) eachPermission(t *testing.T) {
	s.permissions(t, stackUses, stackUnchecked)
	s.comesBack(t)
}

// permissions takes each of the actions from its role in turn, and does what needs it: it must be denied. What needs
// an action that no role has was seen to fail before.
func (s *stack) permissions(t *testing.T, uses map[string]stackUse, unchecked map[string]string) {
	has := map[string]bool{}
	roles := s.roles(t)
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		role := roles[name]
		if managed := s.managed(t, role); len(managed) > 0 {
			t.Errorf("%s has policies of AWS, which allow more than it needs: %v", name, managed)
		}
		for _, p := range s.policies(t, role) {
			for _, statement := range p.statements() {
				if resources := string(stackJSON(t, statement["Resource"])); strings.Contains(resources, `"*"`) {
					t.Errorf("%s is allowed something on everything: %s", name, resources)
				}
				for _, action := range stackActions(statement) {
					key := stackUseKey(name, statement, action)
					has[key] = true
					if use := uses[key]; use != nil {
						t.Run(key, func(t *testing.T) { s.needs(t, name, statement, action, use) })
					} else if stackUses[key] == nil && stackConnectUses[key] == nil && unchecked[key] == "" {
						t.Errorf("nothing is known to need %s: take it from the template, or tell here what does", key)
					}
				}
			}
		}
	}
	for use := range uses {
		if !has[use] {
			t.Errorf("no role has %s: it is not needed, or the test of it is", use)
		}
	}
	for use, why := range unchecked {
		if !has[use] {
			t.Errorf("no role has %s (%s)", use, why)
		}
	}
}

// stackUseKey names an action in a role's statement.
func stackUseKey(name string, statement map[string]any, action string) string {
	if sid, ok := statement["Sid"].(string); ok {
		name += " " + sid
	}
	return name + " " + action
}

// needs takes one action from one statement of a role.
func (s *stack) needs(t *testing.T, name string, statement map[string]any, action string, use stackUse) {
	denied := func() string {
		defer s.withoutAction(t, name, statement["Sid"], action)()
		return use(s, t)
	}()
	if denied == "" {
		t.Error("nothing was denied without it: it is superfluous")
	} else if !strings.Contains(denied, stackNotAuthorized+action) {
		t.Errorf("something else was denied without it: %s", denied)
	}
	if denied := use(s, t); denied != "" {
		t.Errorf("denied with all that the role has: %s", denied)
	}
}

// stackNotAuthorized stands before the action in AWS's own words.
const stackNotAuthorized = "is not authorized to perform: "

// stackDenied is the text if it tells that something was denied; anything else but "" ends the test.
func stackDenied(t *testing.T, text string) string {
	t.Helper()
	if text != "" && !strings.Contains(text, stackNotAuthorized) {
		t.Fatalf("failed, and not since something was denied: %s", text)
	}
	return text
}
