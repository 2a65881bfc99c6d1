package ownerrez

// Client talks to OwnerRez as one account. It is immutable and safe for concurrent use.
type Client struct {
	Bookings             *BookingsService
	Properties           *PropertiesService
	Users                *UsersService
	WebhookSubscriptions *WebhookSubscriptionsService // for OAuth apps only
}

// New makes a Client. It needs no network: credentials are checked for their form only. Everything that is
// wrong with auth and the options is in the one error.
func New(auth Auth, opts ...Option) (*Client, error) {
	c, err := newCore(auth, opts)
	if err != nil {
		return nil, err
	}
	return &Client{
		Bookings:             &BookingsService{c},
		Properties:           &PropertiesService{c},
		Users:                &UsersService{c},
		WebhookSubscriptions: &WebhookSubscriptionsService{c},
	}, nil
}
