package status

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// longestParameter is longer than any name.
const longestParameter = 256

// switches are the parameters with the values on and off.
var switches = []string{"verdicts", "persistence"}

// asked is the query of a request, as far as it may be: every parameter is
// known, is there once and has a value. An unused parameter is left out: an empty
// name does not mean all.
func asked(w http.ResponseWriter, r *http.Request, known ...string) (url.Values, bool) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		fail(w, http.StatusBadRequest, errors.New("the query cannot be read"))
		return nil, false
	}
	for name, v := range values {
		if err := checkParameter(name, v, known); err != nil {
			fail(w, http.StatusBadRequest, err)
			return nil, false
		}
	}
	return values, true
}

func checkParameter(name string, values, known []string) error {
	switch {
	case !slices.Contains(known, name) && len(known) == 0:
		return fmt.Errorf("parameter %.40q is unknown: there are none", name)
	case !slices.Contains(known, name):
		return fmt.Errorf("parameter %.40q is unknown: there are %s", name, strings.Join(known, ", "))
	case len(values) != 1:
		return fmt.Errorf("parameter %s is there %d times", name, len(values))
	case values[0] == "":
		return fmt.Errorf("parameter %s is empty: leave it out or give it a value", name)
	case len(values[0]) > longestParameter:
		return fmt.Errorf("parameter %s is longer than %d bytes", name, longestParameter)
	case slices.Contains(switches, name) && !slices.Contains([]string{"0", "1", "false", "true"}, values[0]):
		return fmt.Errorf("parameter %s must be 1, true, 0 or false", name)
	}
	return nil
}

// isSet reports whether a switch is on.
func isSet(values url.Values, name string) bool {
	v := values.Get(name)
	return v == "1" || v == "true"
}

// limitOf is the limit of a query, usual if it has none.
func limitOf(w http.ResponseWriter, values url.Values, usual int) (int, bool) {
	if !values.Has("limit") {
		return usual, true
	}
	n, err := strconv.Atoi(values.Get("limit"))
	if err != nil || n < 1 {
		fail(w, http.StatusBadRequest, errors.New("limit must be a whole number above 0"))
		return 0, false
	}
	return n, true
}
