// Package cli is the command line of the program: lookups on a terminal, the page, and a demo OwnerRez, all in
// one process. What it prints and how it exits is a contract with scripts; see Main.
package cli
