// Package similar finds the word that a misspelled one was meant to be.
package similar

// Nearest returns the candidate most similar to a word, "" if none is similar.
func Nearest(word string, candidates []string) string {
	best, least := "", min(3, len(word)/2)
	for _, candidate := range candidates {
		if d := Distance(word, candidate, least); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// Distance returns the number of letters to change, add or omit to turn a into b, at most
// limit. Two letters side by side in the wrong order count as one.
func Distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	if swapped(a, b) {
		return min(1, limit)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// swapped reports whether a becomes b when two letters side by side change places.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) - 1 {
		if a[i] != b[i] {
			return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		}
	}
	return false
}
