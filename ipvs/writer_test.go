package ipvs

import (
	"encoding/binary"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

// answerTo is the kernel's answer to the message seq, with more after the number.
func answerTo(seq uint32, no syscall.Errno, more ...byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(20+len(more)))
	b = binary.NativeEndian.AppendUint16(b, unix.NLMSG_ERROR)
	b = binary.NativeEndian.AppendUint16(b, 0)
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = binary.NativeEndian.AppendUint32(b, 4711)
	b = binary.NativeEndian.AppendUint32(b, uint32(-int32(no)))
	return append(b, more...)
}

// takeAnswers takes the answers of a datagram as write does.
func takeAnswers(datagram []byte, first uint32, answers []error) (last bool) {
	for m := range messages(datagram) {
		last = last || takeAnswer(m, first, answers)
	}
	return last
}

// The answers to the messages 10, 11 and 12.
func TestTakeAnswers(t *testing.T) {
	other := answerTo(12, syscall.EPERM)
	binary.NativeEndian.PutUint16(other[4:], unix.NLMSG_NOOP)
	endless := answerTo(12, syscall.EPERM)
	binary.NativeEndian.PutUint32(endless, 1<<31)
	short := answerTo(12, syscall.EPERM)
	binary.NativeEndian.PutUint32(short, 16)
	tests := map[string]struct {
		datagram []byte
		want     []error
		last     bool
	}{
		"all is done":          {answerTo(12, 0), []error{nil, nil, nil}, true},
		"the last is refused":  {answerTo(12, syscall.ENOENT), []error{nil, nil, syscall.ENOENT}, true},
		"more is to come":      {answerTo(10, syscall.EEXIST), []error{syscall.EEXIST, nil, nil}, false},
		"several at once":      {join(answerTo(11, syscall.ESRCH, 1, 2, 3, 4), answerTo(12, 0)), []error{nil, syscall.ESRCH, nil}, true},
		"an odd length":        {join(answerTo(11, syscall.ESRCH, 1, 0, 0, 0)[:21], answerTo(12, 0)), []error{nil, syscall.ESRCH, nil}, false},
		"to an earlier one":    {answerTo(9, syscall.EPERM), []error{nil, nil, nil}, false},
		"to a later one":       {answerTo(13, syscall.EPERM), []error{nil, nil, nil}, false},
		"another kind":         {other, []error{nil, nil, nil}, false},
		"an endless one":       {endless, []error{nil, nil, nil}, false},
		"one without a number": {short[:16], []error{nil, nil, syscall.EBADMSG}, true},
		"nothing":              {nil, []error{nil, nil, nil}, false},
		"not whole":            {answerTo(12, syscall.EPERM)[:15], []error{nil, nil, nil}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			answers := make([]error, 3)
			last := takeAnswers(tt.datagram, 10, answers)
			if diff := cmp.Diff(tt.want, answers, cmpopts.EquateErrors()); diff != "" || last != tt.last {
				t.Errorf("last: %v, want %v; answers (-want +got):\n%s", last, tt.last, diff)
			}
		})
	}
}

// The numbers of messages begin again at 0 some day.
func TestTakeAnswersAroundZero(t *testing.T) {
	answers := make([]error, 3)
	if !takeAnswers(join(answerTo(1<<32-1, syscall.EEXIST), answerTo(1, 0)), 1<<32-1, answers) {
		t.Error("the last answer is not found")
	}
	if diff := cmp.Diff([]error{syscall.EEXIST, nil, nil}, answers, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

// Messages follow each other, each numbered, and only the last requests an answer.
func TestRequest(t *testing.T) {
	s := &socket{family: 29, seq: 6}
	d := destination("10.1.0.1:80", Masq, 1)
	text := s.request([]Change{
		do(AddDestination, web, d).change, do(EditDestination, web6, destination("[fd00::9]:80", Route, 1)).change, do(DeleteDestination, mark, d).change,
	})
	type message struct {
		seq     uint32
		flags   uint16
		command byte
	}
	var got []message
	for len(text) > 0 {
		n := native32(text)
		if n%4 != 0 || native16(text[4:]) != 29 {
			t.Fatalf("a message of %d bytes for the family %d", n, native16(text[4:]))
		}
		got = append(got, message{native32(text[8:]), native16(text[6:]), text[16]})
		text = text[n:]
	}
	want := []message{
		{7, unix.NLM_F_REQUEST, cmdNewDestination},
		{8, unix.NLM_F_REQUEST, cmdSetDestination},
		{9, unix.NLM_F_REQUEST | unix.NLM_F_ACK, cmdDeleteDestination},
	}
	if !slices.Equal(got, want) {
		t.Errorf("messages: got %+v, want %+v", got, want)
	}
}
