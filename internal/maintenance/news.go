package maintenance

import "slices"

// A fault is a fault of a maintenance directory. Two faults of the same key are the
// same one, even if the text changes. A file that is no order for another reason than before
// was written again, which is news.
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
	for _, f := range s.NoOrders {
		list = append(list, fault{"order " + s.Dir + "/" + f.Name + ": " + f.Why, "maintenance file " + f.Name + " is no order, and takes its real servers out of service: " + f.Why})
	}
	return list
}

// Faults returns the faults, one line each.
func (s State) Faults() []string {
	var lines []string
	for _, f := range s.faults() {
		lines = append(lines, f.text)
	}
	return lines
}

// News are the log lines for faults of now that before did not have.
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
