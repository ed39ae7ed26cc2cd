package keepalived

import (
	"fmt"
	"strconv"
	"strings"
)

// repeat reads ~SEQ(NAME, FIRST, STEP, LAST) and ~LST(NAME, VALUE, …): the rest of the line is read
// again for each value of NAME.
func (s *scanner) repeat(line string) bool {
	if !strings.HasPrefix(line, "~") {
		return false
	}
	arguments, rest, ok := strings.Cut(line, ")")
	kind, arguments, ok2 := strings.Cut(arguments, "(")
	kind = strings.TrimRight(kind, blanks)
	var names []string
	var next func() ([]string, bool)
	if ok = ok && ok2; ok {
		switch kind {
		case "~SEQ", "~SEQx":
			names, next, ok = s.sequence(arguments, kind == "~SEQx")
		case "~LST":
			names, next, ok = list(arguments)
		default:
			ok = false
		}
	}
	if !ok {
		s.note(lost(s.at, "%s is no ~SEQ or ~LST", line))
		return true
	}
	if s.depth == maxDepth {
		s.note(lost(s.at, "sequences and lists are in each other more than %d times", maxDepth))
		return true
	}
	s.depth++
	rest = strings.Trim(rest, blanks)
	for values, ok := next(); ok && s.makes(len(rest)); values, ok = next() {
		for i, name := range names {
			s.definitions[name] = values[i]
		}
		s.line(rest)
	}
	s.depth--
	return true
}

// sequence reads NAME, FIRST, STEP, LAST. FIRST and STEP may be left out.
func (s *scanner) sequence(arguments string, hex bool) (names []string, next func() ([]string, bool), ok bool) {
	name, text, _ := strings.Cut(arguments, ",")
	text, _ = s.expand(text)
	var numbers []int64
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(strings.Trim(word, blanks), 0, 32)
		if err != nil {
			return nil, nil, false
		}
		numbers = append(numbers, n)
	}
	if name = strings.Trim(name, blanks); name == "" || len(numbers) == 0 || len(numbers) > 3 {
		return nil, nil, false
	}
	first, step, last := int64(1), int64(1), numbers[len(numbers)-1]
	switch len(numbers) {
	case 1:
		if last < 1 {
			step = -1
		}
		if last < 0 {
			first = -1
		}
	case 2:
		if first = numbers[0]; first > last {
			step = -1
		}
	case 3:
		first, step = numbers[0], numbers[1]
	}
	if step == 0 || first < last && step < 0 || first > last && step > 0 || hex && min(first, last) < 0 {
		return nil, nil, false
	}
	format := map[bool]string{false: "%d", true: "%x"}[hex]
	return []string{name}, func() ([]string, bool) {
		n := first
		first += step
		return []string{fmt.Sprintf(format, n)}, step > 0 && n <= last || step < 0 && n >= last
	}, true
}

// list reads NAME, VALUE, … or {NAME, …}, {VALUE, …}, …
func list(arguments string) (names []string, next func() ([]string, bool), ok bool) {
	sets, ok := listSets(arguments)
	if !ok || len(sets) < 2 {
		return nil, nil, false
	}
	names, sets = sets[0], sets[1:]
	for i, set := range sets {
		if len(set) > len(names) {
			return nil, nil, false
		}
		for len(set) < len(names) {
			set = append(set, "")
		}
		sets[i] = set
	}
	return names, func() ([]string, bool) {
		if len(sets) == 0 {
			return nil, false
		}
		set := sets[0]
		sets = sets[1:]
		return set, true
	}, true
}

// listSets are the words between commas, of which braces keep several together.
func listSets(text string) (sets [][]string, ok bool) {
	for {
		var set string
		if text = strings.Trim(text, blanks); strings.HasPrefix(text, "{") {
			if set, text, ok = strings.Cut(text[1:], "}"); !ok {
				return nil, false
			}
			if text = strings.Trim(text, blanks); text != "" && text[0] != ',' {
				return nil, false
			}
		} else {
			i := strings.IndexByte(text+",", ',')
			set, text = text[:i], text[i:]
		}
		var words []string
		for word := range strings.SplitSeq(set, ",") {
			if word = strings.Trim(word, blanks); strings.ContainsAny(word, blanks+"{}") {
				return nil, false
			}
			words = append(words, word)
		}
		if sets = append(sets, words); text == "" {
			return sets, true
		}
		text = text[1:]
	}
}
