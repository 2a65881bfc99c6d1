package ownerrez_test

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/ownerrez"
)

func TestDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "0.00": "0", "1250": "1250", "1250.50": "1250.5", "-0.05": "-0.05", "10.45": "10.45",
		"1e3": "1000", "1.5E+2": "150", "25e-4": "0.0025", "0e400": "0", "100": "100", "1200e-2": "12",
		"9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808",
		"-9.223372036854775808": "-9.223372036854775808", "123456789012.345678": "123456789012.345678",
	} {
		d, err := ownerrez.ParseDecimal(text)
		if err != nil || d.String() != want {
			t.Errorf("ParseDecimal(%q) = %v, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{"", "-", ".5", "5.", "+1", "01", "1,5", "1e", "1e+-2", "0x1", "NaN", "1 ", "9223372036854775808", "1e40", "1e-400", "1e99999999999999999999"} {
		if d, err := ownerrez.ParseDecimal(text); err == nil {
			t.Errorf("ParseDecimal(%q) = %v; want an error", text, d)
		}
	}
}

func TestDecimalsCompare(t *testing.T) {
	for _, pair := range [][2]string{{"1250.50", "1250.5"}, {"0.0", "-0"}, {"1e2", "100"}, {"100.0", "1.00e2"}} {
		a, _ := ownerrez.ParseDecimal(pair[0])
		b, _ := ownerrez.ParseDecimal(pair[1])
		if a != b {
			t.Errorf("%s and %s differ", pair[0], pair[1])
		}
	}
	sum := new(big.Rat)
	for range 10 {
		d, _ := ownerrez.ParseDecimal("0.1")
		sum.Add(sum, d.Rat())
	}
	if sum.Cmp(big.NewRat(1, 1)) != 0 {
		t.Errorf("ten times 0.1 is %s", sum)
	}
}

func TestDecimalJSON(t *testing.T) {
	var got []ownerrez.Decimal
	if err := json.Unmarshal([]byte(`[861.50, "430.75", null, 12345678901234567]`), &got); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil || string(text) != `[861.5,430.75,0,12345678901234567]` {
		t.Errorf("%s, %v", text, err)
	}
	for _, bad := range []string{`"free"`, `true`, `""`, `[1]`} {
		if err := json.Unmarshal([]byte(bad), new(ownerrez.Decimal)); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestOpt(t *testing.T) {
	type update struct {
		Notes ownerrez.Opt[string] `json:"notes,omitzero"`
		Pets  ownerrez.Opt[int]    `json:"pets,omitzero"`
	}
	for _, test := range []struct {
		in   update
		want string
	}{
		{update{}, `{}`},
		{update{Notes: ownerrez.Null[string]()}, `{"notes":null}`},
		{update{Notes: ownerrez.Set(""), Pets: ownerrez.Set(2)}, `{"notes":"","pets":2}`},
	} {
		text, err := json.Marshal(test.in)
		if err != nil || string(text) != test.want {
			t.Errorf("%s, %v; want %s", text, err, test.want)
		}
		var back update
		if err := json.Unmarshal(text, &back); err != nil || back != test.in {
			t.Errorf("%s came back as %+v, %v", text, back, err)
		}
	}
	if v, ok := ownerrez.Null[int]().Get(); v != 0 || ok {
		t.Error("null has a value")
	}
	if (ownerrez.Opt[int]{}).IsNull() || !ownerrez.Null[int]().IsNull() || ownerrez.Set(0).IsZero() {
		t.Error("absent, null and a zero value must differ")
	}
	if err := json.Unmarshal([]byte(`"x"`), new(ownerrez.Opt[int])); err == nil {
		t.Error("text was accepted as a number")
	}
}
