package status

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// decode reads the one JSON object that a request is into the struct that v
// points to. Every member is known, is there once and has a value: an unused
// member is left out. The errors are for whoever wrote the request.
func decode(r *http.Request, v any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return errors.New("the request must be application/json: send Content-Type: application/json")
	}
	text, err := io.ReadAll(r.Body)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fmt.Errorf("the request is larger than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return errors.New("the request did not arrive whole")
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("the request is empty: a JSON object is needed")
	}
	names := memberNames(reflect.TypeOf(v).Elem())
	if err := checkMembers(text, names); err != nil {
		return err
	}
	return readable(json.Unmarshal(text, v))
}

// memberNames are the members that a struct can have.
func memberNames(t reflect.Type) []string {
	var names []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// checkMembers reads text as an object and returns the mistake in its members.
// Package json takes members in any case, the last of several, and null.
func checkMembers(text []byte, known []string) error {
	d := json.NewDecoder(bytes.NewReader(text))
	begin, err := d.Token()
	if err != nil {
		return readable(err)
	}
	if begin != json.Delim('{') {
		return errors.New("the request must be a JSON object")
	}
	var seen []string
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return readable(err)
		}
		name, _ := token.(string) // as the names of members are
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return readable(err)
		}
		switch {
		case !slices.Contains(known, name):
			return fmt.Errorf("%q is unknown: there are %s", name, strings.Join(known, ", "))
		case slices.Contains(seen, name):
			return fmt.Errorf("%s is there twice", name)
		case string(value) == "null":
			return fmt.Errorf("%s is null: leave it out or give it a value", name)
		}
		seen = append(seen, name)
	}
	if _, err := d.Token(); err != nil {
		return readable(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// readable is an error of package json without its Go types. nil stays nil.
func readable(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s cannot be a %s: %s is needed", wrong.Field, wrong.Value, jsonType(wrong.Type))
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("the request is no JSON, see byte %d", syntax.Offset)
	}
	if err == nil {
		return nil
	}
	return errors.New("the JSON ends too early")
}

// jsonType is the name in JSON of values that fit into t.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Int:
		return "a whole number"
	}
	return "a number"
}
