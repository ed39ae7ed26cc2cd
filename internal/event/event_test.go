package event

import "testing"

func TestHistoryIsARing(t *testing.T) {
	var h History
	for i := range historySize + 10 {
		h.Add(&Event{Weight: i})
	}
	list := h.List()
	if len(list) != historySize || list[0].Weight != 10 || list[historySize-1].Weight != historySize+9 {
		t.Errorf("%d events from %d to %d", len(list), list[0].Weight, list[len(list)-1].Weight)
	}
}

func TestKindsHaveWords(t *testing.T) {
	for k := range Kind(255) {
		if k < Kind(len(kindWords)) && k.String() == "" {
			t.Errorf("kind %d has no word", k)
		}
	}
	if int(FallbackOff) != len(kindWords)-1 {
		t.Errorf("%d kinds have words, of %d", len(kindWords), FallbackOff+1)
	}
}
