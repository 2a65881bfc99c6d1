// Package functions holds one command per thing that is deployed, and the tests of what they are when built: under a
// stub of Lambda's Runtime API, in a Lambda container, and deployed as a stack.
package functions
