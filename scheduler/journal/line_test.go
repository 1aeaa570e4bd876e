package journal

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang/gangtest"
)

// filled gives every field, and one element of every slice and map, a value that no
// other has, so that none can be lost or mistaken for another.
type filled struct {
	*testing.T
	last int64
}

func (f *filled) fill(v reflect.Value, path string) {
	f.last++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("<%s %d>", path, f.last))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1<<62 + f.last) // more than a float64 can hold
	case reflect.Uint64:
		v.SetUint(1<<63 + uint64(f.last))
	case reflect.Float64:
		v.SetFloat(float64(f.last) / 3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i), path)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key, path)
		f.fill(value, path)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		f.fillStruct(v, path)
	default:
		f.Errorf("%s is a %s, of which nobody knows whether a journal keeps it", path, v.Kind())
	}
}

func (f *filled) fillStruct(v reflect.Value, path string) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(gangtest.Epoch0.Add(time.Duration(f.last))))
		return
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		at := path + "." + field.Name
		switch {
		case at == ".Options.Strategy": // the header has its name
		case !field.IsExported():
			f.Errorf("a journal loses %s, which is not exported", at)
		default:
			f.fill(v.Field(i), at)
		}
	}
}

func TestEveryKindOfEventSurvives(t *testing.T) {
	for _, empty := range core.Kinds() {
		t.Run(nameOf(empty), func(t *testing.T) {
			full := reflect.New(reflect.TypeOf(empty)).Elem()
			(&filled{T: t}).fill(full, nameOf(empty))
			for _, e := range []core.Event{empty, full.Interface().(core.Event)} {
				l, err := lineOf(core.Stamped{Event: e}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := eventOf(l.Event, l.Data); err != nil || !reflect.DeepEqual(got, e) {
					t.Errorf("%+v\nis read as\n%+v: %v", e, got, err)
				}
			}
		})
	}
}

func TestAllThatDecidesBesidesEventsSurvives(t *testing.T) {
	var h Header
	(&filled{T: t}).fill(reflect.ValueOf(&h).Elem(), "")
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var got Header
	if err := unmarshal(data, &got); err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("%+v\nis read as\n%+v: %v", h, got, err)
	}
}
