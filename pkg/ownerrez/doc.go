// Package ownerrez is a client of the OwnerRez API (https://api.ownerrez.com/help/v2).
//
// To read your own account, make a personal access token on OwnerRez's page Developer/API Settings, and use
// it with your account's e-mail address:
//
//	client, err := ownerrez.New(ownerrez.PAT("you@example.com", token))
//
// To read other people's accounts, register an OAuth app, and let them in by an [Authorizer]:
//
//	client, err := ownerrez.New(ownerrez.OAuth(app, ownerrez.StaticToken(token)))
//
// [Client.Users] tells whose account it is, [Client.Properties] and [Client.Bookings] list what is in it:
//
//	for booking, err := range client.Bookings.All(ctx, ownerrez.BookingQuery{PropertyIDs: ids, From: today}) {
//		…
//	}
//
// [Client.WebhookSubscriptions] says of what OwnerRez tells an OAuth app by webhook. It is not for personal tokens.
//
// # Lists
//
// List reads one page, All reads every page and yields each row once. Neither gives a short list for the
// whole one: what cannot be read whole ends with [ErrIncomplete]. One page is a snapshot; several are not,
// because rows move between pages while they change.
//
// # Rows
//
// A [Date] has no time zone, a [Decimal] is exact, an [Opt] tells null from absent, types and statuses are open
// strings. Rows are read leniently: a field of an unexpected kind is left zero, and what no field takes is kept
// in Extra, which is written again when the row is marshaled.
//
// # Limits and retries
//
// OwnerRez takes 300 requests in 5 minutes from one IP address, over all accounts. Every attempt asks a
// [Limiter] first; clients that share an address should share one by [WithLimiter]. One permit is one request:
// redirects are not followed, and nothing is repeated silently. Failed requests are tried again as
// [RetryPolicy] says, never past the context's deadline.
//
// OwnerRez also lets one IP address use the personal tokens of at most two accounts in 24 hours. That is not
// checked here.
//
// # Errors
//
// Every failed call returns an [*Error]. Tell errors apart by errors.Is with the Err… values, such as
// [ErrNotFound]. No error, log value or [Exchange] holds a credential, a header, a body or a URL; of
// what the API says only its messages and its code are kept, shortened and without anything that looks like a
// credential. A [Token] and a [WebhookSubscription] hide their secrets when they are printed.
//
// # Concurrency
//
// Clients and services are immutable and safe for concurrent use. No goroutine outlives a call, but for those
// of net/http's idle connections, which end after 30 seconds.
package ownerrez
