// Package calendar shows what is known of accounts: as JSON documents, and as a page for a browser. Both call a
// night free only if a complete and recent read says so, and say of every taken night why.
package calendar
