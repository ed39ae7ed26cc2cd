package ipvs

// ReadEach calls use for each service of a table, with its destinations, in no
// order. The entry is only valid during the call, and use must not use the table.
// An error may come after some calls. A table with a method ReadEach implements it
// itself: those of this package never have more than one service in memory.
func ReadEach(t Table, use func(*Entry)) error {
	if own, ok := t.(interface{ ReadEach(func(*Entry)) error }); ok {
		return own.ReadEach(use)
	}
	table, err := t.Read()
	for i := range table {
		use(&table[i])
	}
	return err
}

// collect returns the whole table that each iterates over, in the order of
// listings.
func collect(each func(use func(*Entry)) error) ([]Entry, error) {
	var table []Entry
	err := each(func(e *Entry) {
		whole := *e
		whole.Destinations = append([]Destination(nil), e.Destinations...)
		table = append(table, whole)
	})
	if err != nil {
		return nil, err
	}
	sortTable(table)
	return table, nil
}
