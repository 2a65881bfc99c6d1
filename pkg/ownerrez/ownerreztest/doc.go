// Package ownerreztest is an OwnerRez to test against: a server that keeps accounts, properties, bookings and
// tokens, checks requests as OwnerRez does, and fails on demand. It answers
//
//	GET    /v2/bookings, /v2/bookings/{id}
//	GET    /v2/properties, /v2/properties/{id}
//	GET    /v2/users/me
//	GET    /v2/webhooksubscriptions, /v2/webhooksubscriptions/{id}, /v2/webhooksubscriptions/categories
//	POST   /v2/webhooksubscriptions
//	DELETE /v2/webhooksubscriptions/{id}
//	GET    /api/properties/lookup           (of the web application, in PascalCase)
//	GET    /oauth/authorize                 (the consent page, with its form)
//	POST   /oauth/access_token              (authorization_code and refresh_token)
//	DELETE /oauth/access_token/{token}
//
// and everything else with 405, as OwnerRez does. It is for tests in any language: the package's own client
// is not needed, and the JSON is written independently of it.
//
// # A first test
//
// New makes a server, AddAccount and AddProperty furnish it, Put adds bookings. There are two doors: Start
// listens on a free port of 127.0.0.1, and HTTPClient returns a client whose connections lead to the server in
// memory. The latter works inside testing/synctest bubbles, where hours of waiting and retrying take
// milliseconds. The server answers below the path /base, so that a client that drops its base URL's path is
// found out (WithBasePath changes that).
//
//	server := ownerreztest.New()
//	server.AddAccount(ownerreztest.Account{ID: 1, Email: "wylie@example.com", PAT: "pt_test"})
//	server.AddProperty(1, ownerreztest.Property{ID: 4401, Name: "Pine Cabin"})
//	server.Put(1, ownerreztest.Booking{PropertyID: 4401, Arrival: arrival, Departure: departure})
//	baseURL := server.Start(t)
//
// # The world moves
//
// Update changes a booking in place, Cancel keeps its row, Delete removes it for good, as OwnerRez does: no
// list tells of a deleted booking. Bookings and Taken tell the truth of the moment, to compare with what a
// program believes. Requests lists what was asked, without tokens; Secrets lists all tokens, so that a test can
// look for them where they do not belong. Subscriptions lists what OAuth apps have subscribed to;
// Deliver posts to them what happened to bookings, as often as OwnerRez does, and TakeWebhooks gives a test what it would
// post.
//
// # Faults
//
// Fault makes the n-th request, or the ones that match, fail: with a status, a hang, a reset, half a body,
// HTML, a wrong page, a hostile link, rows that are missing or garbage. AllFaults enumerates them, for tests
// that try every kind at every request. Before and After run a function around an answer, so that rows vanish,
// come or move between two answers.
//
// # Quirks
//
// What OwnerRez does is documented in part, and those who measured it disagree. Quirks chooses; its zero value
// is what is documented or seen most often. Facts come from OwnerRez's public documents and from clients that
// others published. No test with this package proves that OwnerRez itself behaves this way.
//
// # Checks
//
// A request needs a User-Agent that names a program, for OAuth one with the app's id, "(c_…)". A personal token
// goes by HTTP Basic with the account's e-mail, an access token as Bearer. An IP address may send 300 requests
// in any five minutes, and use personal tokens of two accounts in 24 hours. Unknown parameters are answered
// with 405, unreadable ones with 400.
//
// # A demo
//
// Demo is a world to look at, in which something happens every few minutes. It is a function of a seed and the
// clock: a server that is started again goes on where the last one was.
package ownerreztest
