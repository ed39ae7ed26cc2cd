package checker

import (
	"fmt"

	"github.com/ldirectord/ldirectord/internal/perlre"
	"github.com/ldirectord/ldirectord/internal/safetext"
)

// received is nil if answer is what receive expects; a nil Pattern expects
// nothing. The error shows how the answer begins.
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
