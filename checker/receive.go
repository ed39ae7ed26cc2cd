package checker

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// received returns nil if answer matches receive; a nil Pattern matches all. The
// error quotes the beginning of the answer.
func received(receive *perlre.Pattern, answer []byte) error {
	if receive == nil {
		return nil
	}
	matched, err := receive.Match(answer)
	if err != nil {
		return err
	}
	if !matched {
		return fmt.Errorf("receive %s not found in %d bytes: %s", safetext.Excerpt(receive.String()), len(answer), safetext.Excerpt(answer))
	}
	return nil
}
