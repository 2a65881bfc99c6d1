// Package connect is the pages by which hosts connect their OwnerRez accounts, and leave. What happens is pkg/connect's;
// here are addresses, cookies, words and how it looks. The pages need no JavaScript, load nothing, and say nothing that
// lets anybody in.
package connect
