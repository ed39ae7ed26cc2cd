package ipvs

// ReadEach hands each service of a table, with its destinations, to use, in no
// order. The entry is only valid during the call, and use must not use the
// table. After an error some have been handed over. A table with a method
// ReadEach has its own way: those of this package never have more than one
// service in memory.
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

// collect is the whole table that each hands over, in the order in which it is
// shown.
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
