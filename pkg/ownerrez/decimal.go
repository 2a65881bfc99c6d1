package ownerrez

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is an exact decimal number, such as an amount of money as OwnerRez writes it: 1250.5 is not rounded
// to what a float64 can hold. The zero Decimal is 0. Decimals compare with ==, whatever their number was
// written like: 1250.50 == 1250.5.
//
// A Decimal has as many digits as an int64 (18 always fit) and at most 99 decimals.
type Decimal struct {
	digits int64 // without trailing zeros, unless scale is 0
	scale  uint8 // how many of the digits are decimals
}

const maxScale = 99

// ParseDecimal reads a number in JSON's notation: "1250", "-0.5", "1.2e3".
func ParseDecimal(s string) (Decimal, error) {
	if d, ok := parseDecimal(s); ok {
		return d, nil
	}
	return Decimal{}, fmt.Errorf("%q is not a decimal number of at most 18 digits; write it as 1250.50", shorten(s, 40))
}

func parseDecimal[S string | []byte](s S) (Decimal, bool) {
	rest, exp, ok := splitExponent(string(s))
	if !ok {
		return Decimal{}, false
	}
	whole, decimals, point := strings.Cut(rest, ".")
	if !isWhole(whole) || (point && !isDigits(decimals)) {
		return Decimal{}, false
	}
	scale := len(decimals) - exp
	digits := strings.TrimRight(whole+decimals, "0")
	scale -= len(whole) + len(decimals) - len(digits)
	if digits == "" || digits == "-" {
		return Decimal{}, true
	}
	if scale > maxScale || scale < -18 {
		return Decimal{}, false
	}
	if scale < 0 {
		digits, scale = digits+strings.Repeat("0", -scale), 0
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return Decimal{digits: n, scale: uint8(scale)}, err == nil
}

// splitExponent takes "1.5e3" apart into "1.5" and 3.
func splitExponent(s string) (rest string, exp int, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, true
	}
	text := s[i+1:]
	if sign := strings.TrimLeft(text, "+-"); len(text)-len(sign) > 1 || !isDigits(sign) || len(sign) > 4 {
		return "", 0, false
	}
	exp, err := strconv.Atoi(text)
	return s[:i], exp, err == nil
}

// isWhole reports whether s is the part of a JSON number before its point.
func isWhole(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return isDigits(s) && (len(s) == 1 || s[0] != '0')
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// IsZero reports whether d is 0.
func (d Decimal) IsZero() bool { return d.digits == 0 }

// Rat returns d as a fraction, to calculate with.
func (d Decimal) Rat() *big.Rat {
	denominator := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.scale)), nil)
	return new(big.Rat).SetFrac(big.NewInt(d.digits), denominator)
}

// String writes d without an exponent and without needless zeros: "1250.5".
func (d Decimal) String() string {
	text := strconv.FormatInt(d.digits, 10)
	if d.scale == 0 {
		return text
	}
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	if missing := int(d.scale) + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	point := len(text) - int(d.scale)
	return sign + text[:point] + "." + text[point:]
}

// MarshalJSON writes a JSON number.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalJSON reads a JSON number, or a JSON string that holds one. Null leaves d as it is.
func (d *Decimal) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		return nil
	}
	if len(text) > 1 && text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	parsed, err := ParseDecimal(text)
	if err == nil {
		*d = parsed
	}
	return err
}
