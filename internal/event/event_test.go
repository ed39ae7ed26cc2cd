package event

import "testing"

func TestKindsHaveWords(t *testing.T) {
	for k := range Kind(255) {
		if k < Kind(len(kindWords)) && k.String() == "" {
			t.Errorf("kind %d has no word", k)
		}
	}
	if int(QuorumOver) != len(kindWords)-1 {
		t.Errorf("%d kinds have words, of %d", len(kindWords), QuorumOver+1)
	}
}
