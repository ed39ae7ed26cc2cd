package maintenance

import "slices"

// A fault is something that is wrong with a maintenance directory. Two faults of
// the same key are the same one, however its text changes.
type fault struct{ key, text string }

func (s State) faults() []fault {
	var list []fault
	if s.Error != "" {
		list = append(list, fault{"read " + s.Dir, "maintenance directory " + s.Dir + " cannot be read, maintenance stays as it is: " + s.Error})
	}
	if s.Unsaved != "" {
		list = append(list, fault{"save", "what is known of maintenance cannot be kept for a restart: " + s.Unsaved})
	}
	for _, f := range s.Unmatched {
		if !f.waiting {
			list = append(list, fault{"file " + s.Dir + "/" + f.Name, "maintenance file " + f.Name + " takes no real server out of service: " + f.Why})
		}
	}
	return list
}

// Faults are what is wrong, one line each.
func (s State) Faults() []string {
	var lines []string
	for _, f := range s.faults() {
		lines = append(lines, f.text)
	}
	return lines
}

// News are the lines for a log about what is wrong now and was not before.
func News(now, before State) []string {
	var lines []string
	old := before.faults()
	for _, f := range now.faults() {
		if !slices.ContainsFunc(old, func(o fault) bool { return o.key == f.key }) {
			lines = append(lines, "Warning: "+f.text)
		}
	}
	if before.Error != "" && now.Error == "" && now.Dir == before.Dir {
		lines = append(lines, "Maintenance directory "+now.Dir+" can be read again")
	}
	return lines
}
