package sparkconf

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

func TestWrittenPropertiesAreEscapedAsJavaDoes(t *testing.T) {
	got := WriteProperties(Properties{"b": " x y", "a b": "1:2=3#4!5\\6", "c": "tab\tline\n", "d": "é😀", "e": ""})
	want := "a\\ b=1\\:2\\=3\\#4\\!5\\\\6\n" + "b=\\ x y\n" + "c=tab\\tline\\n\n" + "d=é😀\n" + "e=\n"
	if got != want {
		t.Errorf("written is %q, not %q", got, want)
	}
}

// What is written is read again, but for the white space that Spark trims.
func TestWrittenPropertiesAreReadAgain(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune(" \t\n\r\f=:#!\\uab\x01"))))
	rapid.Check(t, func(t *rapid.T) {
		props := rapid.MapOfN(text, text, 0, 5).Draw(t, "properties")
		read, err := ReadProperties(WriteProperties(props))
		for key, value := range props {
			props[key] = trimValue(value)
		}
		if err != nil || !maps.Equal(read, props) {
			t.Fatalf("%q is read again as %q (%v)", props, read, err)
		}
	})
}
