package connect

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxRef is how long an operator's own reference may be, in characters.
const maxRef = 200

// Invite makes an invitation, and returns the link to send to the host. Whoever has the link can use it. The error
// says everything that is wrong with the invitation.
func (o *Office) Invite(ctx context.Context, inv Invitation) (link string, err error) {
	if inv.Life == 0 {
		inv.Life = inviteLife
	}
	err = inv.check()
	if o.PublicURL == "" {
		err = errors.Join(err, errors.New("hosts have no address to come to: set the public URL first"))
	}
	if err != nil {
		return "", err
	}
	code := rand.Text()
	expires := o.now().Add(inv.Life)
	note := inviteNote{Account: inv.Account, Ref: inv.Ref, Return: inv.Return, Expires: expires}
	if err = o.write(ctx, inviteKey(hash(code)), note, 0, expires.Add(inviteKept)); err != nil {
		return "", err
	}
	return o.PublicURL + ConnectPath + "?invite=" + code, nil
}

func (inv Invitation) check() error {
	var errs []error
	if inv.Account < 0 {
		errs = append(errs, errors.New("account: must be the number of an account, or be left out"))
	}
	if utf8.RuneCountInString(inv.Ref) > maxRef || strings.ContainsFunc(inv.Ref, unicode.IsControl) || !utf8.ValidString(inv.Ref) {
		errs = append(errs, errors.New("ref: must be at most 200 characters of text in one line"))
	}
	if inv.Return != "" && !isReturn(inv.Return) {
		errs = append(errs, errors.New("return: must be a URL such as https://partner.example.com/done"))
	}
	if inv.Life < 0 || inv.Life > maxLife {
		errs = append(errs, errors.New("days: must be 1 to 90"))
	}
	return errors.Join(errs...)
}

// isReturn reports whether a page may link to an address: https, or http of this computer.
func isReturn(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || len(text) > 2000 || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

// invitation finds an invitation that can be used, by the hash of its code; of one that cannot be used it says why.
func (o *Office) invitation(ctx context.Context, code string) (note inviteNote, refused Kind, err error) {
	version, err := o.read(ctx, inviteKey(code), &note)
	switch now := o.now(); {
	case err != nil:
	case version == 0:
		refused = NotInvited
	case note.Used:
		refused = InviteUsed
	case now.After(note.Expires):
		refused = InviteExpired
	}
	return note, refused, err
}

// useInvitation lets one flow use an invitation. Another one that began to and did not end does not stand in its way for
// longer than a callback lives. It reports false if somebody else has it.
func (o *Office) useInvitation(ctx context.Context, code, flow string) (bool, error) {
	return o.setInvitation(ctx, code, func(note *inviteNote, now time.Time) bool {
		if note.Used || note.Flow != flow && now.Sub(note.Claimed) <= claimLife {
			return false
		}
		note.Flow, note.Claimed = flow, now
		return true
	})
}

// endInvitation notes that the invitation is used up; or with used false that it can be used again.
func (o *Office) endInvitation(ctx context.Context, code, flow string, used bool) error {
	_, err := o.setInvitation(ctx, code, func(note *inviteNote, _ time.Time) bool {
		if note.Flow != flow {
			return false
		}
		if note.Used = used; !used {
			note.Flow, note.Claimed = "", time.Time{}
		}
		return true
	})
	return err
}

// setInvitation changes an invitation, unless change says that it is not to be.
func (o *Office) setInvitation(ctx context.Context, code string, change func(*inviteNote, time.Time) bool) (bool, error) {
	for {
		var note inviteNote
		version, err := o.read(ctx, inviteKey(code), &note)
		if err != nil || version == 0 || !change(&note, o.now()) {
			return false, err
		}
		err = o.write(ctx, inviteKey(code), note, version, note.Expires.Add(inviteKept))
		if !errors.Is(err, ErrConflict) {
			return err == nil, err
		}
	}
}
