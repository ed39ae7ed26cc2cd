package checker

import "fmt"

// received is nil if answer is what receive expects; a nil Pattern expects
// nothing. The error shows how the answer begins.
func received(receive *Pattern, answer []byte) error {
	if receive == nil {
		return nil
	}
	matched, err := receive.Match(answer)
	if err != nil {
		return err
	}
	if !matched {
		return fmt.Errorf("receive %s not found in %d bytes: %s", excerpt(receive.String()), len(answer), excerpt(answer))
	}
	return nil
}
